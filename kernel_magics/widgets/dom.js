// Small parts that both widgets are made of; each widget's file follows this one.

/**
 * Return an element. Properties that begin with "on" are listeners, those with a dash
 * and "role" are attributes, the others are set as they are.
 */
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith('on')) {
      made.addEventListener(key.slice(2), value);
    } else if (key.includes('-') || key === 'role' || key === 'for') {
      made.setAttribute(key, value);
    } else {
      made[key] = value;
    }
  }
  made.append(...children.filter(child => child !== null));
  return made;
}

/** Return a button; `label` is what is read out where the text alone says too little. */
function button(text, act, { label = '', kind = '' } = {}) {
  const made = element('button', {
    type: 'button',
    className: `llm-button ${kind}`,
    onclick: act
  });
  made.textContent = text;
  if (label) {
    made.setAttribute('aria-label', label);
    made.title = label;
  }
  return made;
}

/**
 * Make `nodes` the children of `parent`. Those that are there stay where they are, with
 * their focus and what is open in them, and are not read out once more.
 */
function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) {
    if (!wanted.has(child)) {
      child.remove();
    }
  }
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) {
      parent.insertBefore(node, parent.children[index] ?? null);
    }
  });
}

let lastId = 0;

/** Return a labelled control, and put the two together for those who do not see them. */
function field(text, control) {
  lastId += 1;
  control.id = `llm-field-${lastId}`;
  const label = element('label', { for: control.id });
  label.textContent = text;
  return element('div', { className: 'llm-field' }, label, control);
}

/** Return a bar; `fraction` is 0 to 1, null where it is unknown. */
function bar(fraction, label) {
  const made = element('progress', { max: 1, 'aria-label': label });
  if (fraction !== null && fraction !== undefined) {
    made.value = fraction;
  }
  return made;
}

/** Return a root that keeps its keys to itself: notebooks have shortcuts for letters. */
function root(el, name, label) {
  const made = element('section', {
    className: `llm-widget ${name}`,
    'aria-label': label,
    'data-lm-suppress-shortcuts': 'true',
    onkeydown: event => event.stopPropagation()
  });
  el.append(made);
  return made;
}

/** Follow `names` of the model until the view goes away. */
function follow(model, names, act) {
  const event = names.map(name => `change:${name}`).join(' ');
  model.on(event, act);
  act();
  return () => model.off(event, act);
}
