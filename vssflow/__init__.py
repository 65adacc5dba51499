"""VSSFlow: one conditional flow-matching transformer from silent video to sound and speech."""
