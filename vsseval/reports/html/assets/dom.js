// Elements. Text is only ever a text node, so labels and notes may hold anything.

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

// Puts children in the place of those that are there; null is no child.
const put = (node, ...children) => {
  node.replaceChildren();
  return fill(node, {}, children);
};

const el = (tag, attributes, ...children) =>
  fill(document.createElement(tag), attributes, children);

const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

// A select of [value, text] pairs.
const select = (label, options, chosen, onchange) => {
  const control = el('select', { onchange: () => onchange(control.value) },
    options.map(([value, text]) =>
      el('option', { value, selected: String(value) === String(chosen) }, text)));
  return el('label', { class: 'field' }, el('span', {}, label), control);
};

// Buttons of which one is pressed: [value, text] pairs.
const choice = (label, options, chosen, onchange) =>
  el('div', { class: 'choice', role: 'group', 'aria-label': label },
    options.map(([value, text]) =>
      el('button', {
        type: 'button',
        'data-value': value,
        'aria-pressed': String(value === chosen),
        onclick: (event) => {
          for (const other of event.currentTarget.parentNode.children) {
            other.setAttribute('aria-pressed', String(other === event.currentTarget));
          }
          onchange(value);
        },
      }, text)));
