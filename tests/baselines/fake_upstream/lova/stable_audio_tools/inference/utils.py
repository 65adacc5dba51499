import numpy as np
import soundfile


def save_audio(input_audio, audio_path, sample_rate):
    sound = input_audio[0] / input_audio.abs().max()
    soundfile.write(audio_path, np.asarray(sound.T), sample_rate, subtype="PCM_16")
