const EXPORTS = [
  ['markdown', 'Markdown'],
  ['notebook', 'Notebook'],
  ['jsonl', 'JSON lines']
];
const SAMPLING = [
  ['temperature', 'Temperature', { min: 0, max: 2, step: 0.1 }],
  ['top_p', 'Top p', { min: 0, max: 1, step: 0.05 }],
  ['max_tokens', 'Longest answer (tokens)', { min: 1, step: 1 }],
  ['seed', 'Seed', { min: 0, step: 1 }]
];
/** What a page of this project's listens to: it puts code into a cell below. */
const INSERT = 'llm-ext:insert-cell';

/** Tell by voice, and on the screen for a while, what has happened. */
function announcer() {
  const said = element('p', { role: 'status', className: 'llm-said' });
  let timer = 0;
  const say = text => {
    said.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => (said.textContent = ''), 5000);
  };
  return [said, say];
}

async function copy(text, say) {
  try {
    await navigator.clipboard.writeText(text);
    say('Copied.');
  } catch {
    say('The browser does not let this page copy.');
  }
}

async function insert(code, say) {
  const detail = { code };
  const event = new CustomEvent(INSERT, { detail, cancelable: true });
  if (!window.dispatchEvent(event)) {
    say('Inserted below the selected cell.');
    return;
  }
  try {
    await navigator.clipboard.writeText(code);
    say('Copied: paste it into a cell.');
  } catch {
    say('Neither a notebook nor the clipboard can be reached from here.');
  }
}

/** Give each block of code its buttons. */
function withCodeButtons(body, say) {
  for (const block of body.querySelectorAll('pre')) {
    const code = block.textContent;
    const bar = element(
      'div',
      { className: 'llm-code-bar' },
      element('span', {}, block.dataset.language || 'code'),
      button('Copy', () => copy(code, say), { label: 'Copy this code' }),
      button('Insert', () => insert(code, say), { label: 'Insert this code into a cell' })
    );
    const frame = element('div', { className: 'llm-code' });
    block.replaceWith(frame);
    frame.append(bar, block);
  }
}

function reasoning(html) {
  if (!html) {
    return null;
  }
  const body = element('div', { className: 'llm-body', innerHTML: html });
  const summary = element('summary', {}, 'Reasoning');
  return element('details', { className: 'llm-reasoning' }, summary, body);
}

function branches(message, send) {
  const ids = message.siblings;
  if (ids.length < 2) {
    return [];
  }
  const at = ids.indexOf(message.id);
  const go = step => send({ do: 'branch', id: ids[at + step] });
  const earlier = button('‹', () => go(-1), { label: 'Earlier version' });
  const later = button('›', () => go(1), { label: 'Later version' });
  earlier.disabled = at === 0;
  later.disabled = at === ids.length - 1;
  return [earlier, element('span', {}, `${at + 1} of ${ids.length}`), later];
}

function editor(message, item, body, send) {
  const text = element('textarea', {
    value: message.text,
    rows: 3,
    'aria-label': 'Edit your question'
  });
  const close = () => {
    form.remove();
    body.hidden = false;
  };
  const resend = () => {
    close();
    send({ do: 'edit', id: message.id, text: text.value });
  };
  const form = element(
    'div',
    { className: 'llm-editor' },
    text,
    button('Send again', resend, { kind: 'llm-primary' }),
    button('Leave as it was', close)
  );
  body.hidden = true;
  item.append(form);
  text.focus();
}

function question(message, send, say) {
  const body = element('div', { className: 'llm-body llm-question' });
  body.textContent = message.text;
  const item = element('li', { className: 'llm-message llm-user' }, body);
  const tools = element(
    'div',
    { className: 'llm-tools' },
    button('Copy', () => copy(message.text, say), { label: 'Copy your question' }),
    button('Edit', () => editor(message, item, body, send), {
      label: 'Edit your question and send it again'
    }),
    ...branches(message, send)
  );
  item.setAttribute('aria-label', 'You');
  item.append(tools);
  return item;
}

function answer(message, send, say) {
  const body = element('div', { className: 'llm-body', innerHTML: message.html });
  withCodeButtons(body, say);
  const calls = message.calls.map(call => element('code', { className: 'llm-call' }, call));
  const note = message.note ? element('p', { className: 'llm-note' }, message.note) : null;
  const tools = element(
    'div',
    { className: 'llm-tools' },
    button('Copy', () => copy(message.text, say), { label: 'Copy this answer' }),
    button('Regenerate', () => send({ do: 'again', id: message.id }), {
      label: 'Regenerate this answer'
    }),
    ...branches(message, send),
    element('span', { className: 'llm-statistics' }, message.statistics)
  );
  const item = element(
    'li',
    { className: 'llm-message llm-assistant', 'aria-label': 'Answer' },
    reasoning(message.reasoning),
    ...calls,
    body,
    note,
    tools
  );
  return item;
}

function result(message) {
  const summary = element('summary', {}, 'Result of a call');
  const body = element('pre', {}, message.text);
  const details = element('details', { className: 'llm-reasoning' }, summary, body);
  return element('li', { className: 'llm-message' }, details);
}

/**
 * Return the answer that is being written, and what shows more of it.
 *
 * It grows in place: what somebody has opened, or selected, stays as it is.
 */
function growing() {
  const thought = element('div', { className: 'llm-body' });
  const details = element(
    'details',
    { className: 'llm-reasoning' },
    element('summary', {}, 'Reasoning'),
    thought
  );
  const body = element('div', { className: 'llm-body' });
  const line = element('p', { className: 'llm-progress' });
  const node = element(
    'li',
    { className: 'llm-message llm-assistant', 'aria-busy': 'true', 'aria-label': 'Answer' },
    details,
    body,
    line
  );
  let before = {};
  const show = ({ status = {}, reasoning = '', html = '' }) => {
    if (reasoning !== before.reasoning) {
      thought.innerHTML = reasoning;
    }
    if (html !== before.html) {
      body.innerHTML = html;
    }
    details.hidden = !reasoning;
    // Open while there is nothing else to read.
    if (Boolean(html) !== Boolean(before.html)) {
      details.open = !html;
    }
    const percent = status.fraction == null ? '' : ` ${Math.round(status.fraction * 100)} %`;
    line.hidden = !status.text;
    line.replaceChildren(
      ...(status.text
        ? [bar(status.fraction, status.text), ` ${status.text}${percent}`]
        : [])
    );
    before = { reasoning, html };
  };
  details.open = true;
  return { node, show };
}

/** Return the list of messages; it stays at its end unless somebody scrolls up. */
function messageList(model, send, say) {
  const list = element('ol', { className: 'llm-messages' });
  const live = element('ol', { className: 'llm-live' });
  // What is whole is read out as it comes; what still grows would be read in pieces.
  const log = element('div', { role: 'log', 'aria-label': 'Messages' }, list);
  const scroller = element(
    'div',
    { className: 'llm-scroller', role: 'region', tabIndex: 0, 'aria-label': 'Conversation' },
    log,
    live
  );
  // Who scrolled up, by however little, is left there until near the end again.
  let follows = true;
  let place = 0;
  const look = () => {
    const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    // Content that got shorter moves one, too, but to its end, and asks nobody.
    if (scroller.scrollTop > place) {
      follows = below < 40;
    } else if (scroller.scrollTop < place && below > 1) {
      follows = false;
    }
    place = scroller.scrollTop;
  };
  scroller.addEventListener('scroll', look, { passive: true });
  const kept = act => {
    look();
    act();
    if (follows) {
      scroller.scrollTop = scroller.scrollHeight;
    }
    place = scroller.scrollTop;
  };
  const makers = { user: question, assistant: answer, tool: result };
  const hint = element('li', { className: 'llm-hint' }, 'Ask something below.');
  let shown = new Map();
  const showMessages = () =>
    kept(() => {
      const now = new Map();
      for (const message of model.get('messages')) {
        const key = JSON.stringify(message);
        const make = makers[message.role] || result;
        now.set(key, shown.get(key) || make(message, send, say));
      }
      shown = now;
      const empty = !now.size && !model.get('busy');
      arrange(list, empty ? [hint] : [...now.values()]);
    });
  let current = null;
  const showLive = () =>
    kept(() => {
      const writing = model.get('writing');
      if (!writing.status && !writing.html) {
        current = null;
        live.replaceChildren();
        return;
      }
      if (!current) {
        current = growing();
        live.replaceChildren(current.node);
      }
      current.show(writing);
    });
  const off = [
    follow(model, ['messages', 'busy'], showMessages),
    follow(model, ['writing'], showLive)
  ];
  return [scroller, () => off.forEach(end => end())];
}

function composer(model, send) {
  const text = element('textarea', { rows: 2, placeholder: 'Ask a model' });
  const post = () => {
    if (text.value.trim() && !model.get('busy')) {
      send({ do: 'ask', text: text.value });
      text.value = '';
    }
    text.focus();
  };
  const ask = button('Send', post, { kind: 'llm-primary' });
  const stop = button('Stop', () => send({ do: 'stop' }), { kind: 'llm-primary' });
  text.addEventListener('keydown', event => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      post();
    } else if (event.key === 'Escape' && model.get('busy')) {
      send({ do: 'stop' });
    }
  });
  const label = field('Question (Enter sends, Shift+Enter breaks the line)', text);
  const end = follow(model, ['busy'], () => {
    ask.hidden = model.get('busy');
    stop.hidden = !model.get('busy');
  });
  const restore = content => {
    if (content.do === 'restore' && !text.value) {
      text.value = content.text;
    }
  };
  model.on('msg:custom', restore);
  const ends = () => {
    end();
    model.off('msg:custom', restore);
  };
  return [element('div', { className: 'llm-composer' }, label, ask, stop), ends];
}

/** Return system prompt and sampling, which apply from the next answer on. */
function drawer(model, change) {
  const system = element('textarea', { rows: 3 });
  system.addEventListener('change', () => change({ system: system.value }));
  const controls = SAMPLING.map(([name, label, limits]) => {
    const input = element('input', { type: 'number', placeholder: 'model', ...limits });
    input.addEventListener('change', () => {
      const options = { ...model.get('options') };
      delete options[name];
      if (input.value !== '') {
        options[name] = Number(input.value);
      }
      change({ options });
    });
    return [name, input, field(label, input)];
  });
  // What somebody is typing is not to be replaced by what was there before.
  const put = (control, value) => {
    if (control !== document.activeElement) {
      control.value = value;
    }
  };
  const end = follow(model, ['system', 'options'], () => {
    put(system, model.get('system'));
    for (const [name, input] of controls) {
      put(input, model.get('options')[name] ?? '');
    }
  });
  const inner = element(
    'div',
    { className: 'llm-drawer' },
    field('System prompt', system),
    ...controls.map(([, , labelled]) => labelled)
  );
  const summary = element('summary', {}, 'Settings');
  return [element('details', { className: 'llm-settings' }, summary, inner), end];
}

function header(model, send, change) {
  const picker = element('select', {
    onchange: () => change({ model: picker.value }),
    onfocus: () => send({ do: 'refresh' })
  });
  const save = element('select', {
    onchange: () => {
      send({ do: 'export', format: save.value });
      save.value = '';
    }
  });
  save.append(element('option', { value: '' }, 'Export…'));
  for (const [value, text] of EXPORTS) {
    save.append(element('option', { value }, text));
  }
  save.setAttribute('aria-label', 'Export this conversation');
  const end = follow(model, ['models', 'model'], () => {
    const options = model.get('models').map(({ id, state }) => {
      const text = state === 'unloaded' ? id : `${id} (${state})`;
      return element('option', { value: id }, text);
    });
    picker.replaceChildren(...options);
    picker.value = model.get('model');
  });
  const known = follow(model, ['conversation'], () => {
    save.disabled = !model.get('conversation');
  });
  const bar = element(
    'div',
    { className: 'llm-head' },
    field('Model', picker),
    save,
    button('New chat', () => send({ do: 'new' }))
  );
  return [bar, () => [end, known].forEach(each => each())];
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  element('a', { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}

function render({ model, el }) {
  const send = content => model.send(content);
  const change = fields => send({ do: 'change', fields });
  const [said, say] = announcer();
  const error = element('p', { role: 'alert', className: 'llm-error' });
  const [head, endHead] = header(model, send, change);
  const [settings, endSettings] = drawer(model, change);
  const [list, endList] = messageList(model, send, say);
  const [below, endBelow] = composer(model, send);
  root(el, 'llm-chat', 'Chat with a model').append(
    head,
    settings,
    list,
    error,
    said,
    below
  );
  const endError = follow(model, ['error'], () => {
    error.textContent = model.get('error');
    error.hidden = !model.get('error');
  });
  let wasBusy = model.get('busy');
  const endBusy = follow(model, ['busy'], () => {
    if (wasBusy && !model.get('busy') && !model.get('error')) {
      say('The answer is complete.');
    }
    wasBusy = model.get('busy');
  });
  const take = content => {
    if (content.do === 'save') {
      download(content.name, content.text);
    }
  };
  model.on('msg:custom', take);
  return () => {
    model.off('msg:custom', take);
    [endHead, endSettings, endList, endBelow, endError, endBusy].forEach(end => end());
  };
}

export default { render };
