const LOAD_FIELDS = [
  ['context_length', 'Context (tokens)', 'number'],
  ['slots', 'Requests at once', 'number'],
  ['gpu_layers', 'GPU layers (auto, all, number)', 'text'],
  ['threads', 'CPU threads', 'number'],
  ['keep_alive', 'Stays without requests (10m)', 'text']
];
const KV_TYPES = ['', 'f16', 'q8_0', 'q4_0', 'f32'];
const GOING = ['waiting', 'resolving', 'downloading', 'verifying'];

function loadForm(name, send) {
  const inputs = LOAD_FIELDS.map(([key, label, type]) => {
    const input = element('input', { type, placeholder: 'default' });
    return [key, input, field(label, input)];
  });
  const kv = element('select', {});
  kv.append(...KV_TYPES.map(value => element('option', { value }, value || 'default')));
  const load = () => {
    const options = Object.fromEntries(inputs.map(([key, input]) => [key, input.value]));
    send({ do: 'load', id: name, options: { ...options, kv_type: kv.value } });
  };
  const inner = element(
    'div',
    { className: 'llm-drawer' },
    ...inputs.map(([, , labelled]) => labelled),
    field('Cache type', kv),
    button('Load with these', load, { kind: 'llm-primary' })
  );
  const summary = element('summary', { 'aria-label': `Load ${name} with options` });
  summary.textContent = 'Options';
  return element('details', { className: 'llm-settings' }, summary, inner);
}

function confirmed(text, act) {
  return () => {
    if (window.confirm(text)) {
      act();
    }
  };
}

function actions(item, send) {
  const { id, state, pinned, source } = item;
  const load = () => send({ do: 'load', id, options: {} });
  const unload = force => send({ do: 'unload', id, force });
  const pin = () => send({ do: 'pin', id, pinned: !pinned });
  switch (state) {
    case 'loading':
      return [button('Give up', () => unload(true), { label: `Give up loading ${id}` })];
    case 'ready':
      return [
        button('Unload', () => unload(false), { label: `Unload ${id}` }),
        button(pinned ? 'Unpin' : 'Pin', pin, {
          label: pinned ? `Unpin ${id}: it may make room` : `Pin ${id}: it stays loaded`
        })
      ];
    case 'busy':
      return [
        button(
          'Unload',
          confirmed(`${id} is answering. End its requests?`, () => unload(true)),
          { label: `Unload ${id} and end its requests` }
        )
      ];
    case 'unloading':
      return [];
    default: {
      const remove = confirmed(`Delete the files of ${id}?`, () => send({ do: 'delete', id }));
      const own = source === 'folder';
      return [
        button('Load', load, { label: `Load ${id}`, kind: 'llm-primary' }),
        ...(own ? [button('Delete', remove, { label: `Delete the files of ${id}` })] : [])
      ];
    }
  }
}

function stateLine(item) {
  const percent = item.fraction == null ? '' : ` ${Math.round(item.fraction * 100)} %`;
  const words = item.stage ? `${item.state} (${item.stage})${percent}` : item.state;
  const dot = element('span', { className: 'llm-dot', 'aria-hidden': 'true' });
  const text = element('span', {}, item.pinned ? `${words}, pinned` : words);
  const shown = element('span', { className: 'llm-state', 'data-state': item.state }, dot, text);
  return item.fraction == null ? [shown] : [shown, bar(item.fraction, words)];
}

/** The buttons of a row: others only where others are needed, so that none slips away. */
class Actions {
  constructor() {
    this.node = element('span', { className: 'llm-actions' });
  }

  show(key, make) {
    if (key === this.shown) {
      return;
    }
    const focused = this.node.contains(this.node.getRootNode().activeElement);
    this.shown = key;
    this.node.replaceChildren(...make());
    if (focused) {
      this.node.querySelector('button')?.focus();
    }
  }
}

/** A row of the list; its options stay open while its state changes. */
class Row {
  constructor(id, send) {
    this.send = send;
    this.name = element('strong', {}, id);
    this.state = element('span', { className: 'llm-line' });
    this.facts = element('span', { className: 'llm-facts' });
    this.error = element('span', { className: 'llm-error' });
    this.actions = new Actions();
    this.form = loadForm(id, send);
    this.node = element(
      'li',
      { className: 'llm-row' },
      element('div', { className: 'llm-line' }, this.name, this.state),
      this.facts,
      this.error,
      element('div', { className: 'llm-line' }, this.actions.node, this.form)
    );
  }

  show(item, isDefault) {
    const text = JSON.stringify([item, isDefault]);
    if (text === this.shown) {
      return;
    }
    this.shown = text;
    this.state.replaceChildren(...stateLine(item));
    this.facts.textContent = isDefault ? `${item.facts} · default` : item.facts;
    this.error.textContent = item.error;
    this.error.hidden = !item.error;
    this.actions.show(`${item.state} ${item.pinned}`, () => actions(item, this.send));
    this.form.hidden = !['unloaded', 'failed', 'ready'].includes(item.state);
  }
}

function downloadActions(item, send) {
  const act = what => () => send({ do: what, id: item.id });
  const name = item.reference;
  const going = GOING.includes(item.state);
  const again = item.state === 'paused' || item.state === 'failed';
  const cancel = button('Cancel', act('cancel'), { label: `Cancel ${name}` });
  const forget = button('Forget', act('forget'), { label: `Forget ${name}` });
  if (going) {
    return [button('Pause', act('pause'), { label: `Pause ${name}` }), cancel];
  }
  return again
    ? [button('Go on', act('resume'), { label: `Go on with ${name}` }), cancel, forget]
    : [forget];
}

/** A download; it grows in place, since its figures change all the time. */
class DownloadRow {
  constructor(id, send) {
    this.send = send;
    this.line = element('div', { className: 'llm-line' });
    this.facts = element('span', { className: 'llm-facts' });
    this.error = element('span', { className: 'llm-error' });
    this.actions = new Actions();
    this.node = element(
      'li',
      { className: 'llm-row' },
      this.line,
      this.facts,
      this.error,
      this.actions.node
    );
  }

  show(item) {
    const going = GOING.includes(item.state);
    this.line.replaceChildren(
      element('strong', {}, item.reference),
      element('span', {}, item.state),
      ...(going ? [bar(item.fraction, `${item.reference}: ${item.state}`)] : [])
    );
    this.facts.textContent = item.facts;
    this.error.textContent = item.error;
    this.error.hidden = !item.error;
    this.actions.show(item.state, () => downloadActions(item, this.send));
  }
}

/** Return a function that gives each item its row, and the same one again later. */
function rowsOf(Kind, send) {
  const rows = new Map();
  return item => {
    if (!rows.has(item.id)) {
      rows.set(item.id, new Kind(item.id, send));
    }
    return rows.get(item.id);
  };
}

function render({ model, el }) {
  const send = content => model.send(content);
  const modelRow = rowsOf(Row, send);
  const downloadRow = rowsOf(DownloadRow, send);
  const nothing = element('p', { className: 'llm-facts llm-nothing' });
  const search = element('input', { type: 'search', placeholder: 'Part of a name' });
  const list = element('ul', { className: 'llm-list', 'aria-label': 'Models' });
  const downloads = element('ul', { className: 'llm-list', 'aria-label': 'Downloads' });
  const memory = element('span', { className: 'llm-facts' });
  const error = element('p', { role: 'alert', className: 'llm-error' });
  const said = element('p', { role: 'status', className: 'llm-said' });
  const reference = element('input', { placeholder: 'hf:org/repository:Q4_K_M' });
  const pull = () => {
    send({ do: 'pull', reference: reference.value });
    reference.value = '';
  };
  reference.addEventListener('keydown', event => {
    if (event.key === 'Enter') {
      pull();
    }
  });
  root(el, 'llm-manager', 'Models of this server').append(
    element('div', { className: 'llm-head' }, field('Find a model', search), memory),
    error,
    said,
    list,
    nothing,
    element(
      'div',
      { className: 'llm-head' },
      field('Download a model', reference),
      button('Download', pull, { kind: 'llm-primary' })
    ),
    downloads
  );
  const states = new Map();
  const showModels = () => {
    const wanted = search.value.trim().toLowerCase();
    const found = model.get('models').filter(({ id }) => id.includes(wanted));
    for (const item of model.get('models')) {
      const before = states.get(item.id);
      if (before && before !== item.state) {
        said.textContent = `${item.id} is ${item.state}.`;
      }
      states.set(item.id, item.state);
    }
    const nodes = found.map(item => {
      const row = modelRow(item);
      row.show(item, item.id === model.get('default_model'));
      return row.node;
    });
    arrange(list, nodes);
    nothing.hidden = found.length > 0;
    nothing.textContent = wanted
      ? `No model has “${search.value.trim()}” in its name.`
      : 'There is no model yet: download one below.';
  };
  search.addEventListener('input', showModels);
  const ends = [
    follow(model, ['models', 'default_model'], showModels),
    follow(model, ['downloads'], () => {
      const nodes = model.get('downloads').map(item => {
        const row = downloadRow(item);
        row.show(item);
        return row.node;
      });
      arrange(downloads, nodes);
      downloads.hidden = !nodes.length;
    }),
    follow(model, ['memory'], () => (memory.textContent = model.get('memory'))),
    follow(model, ['error'], () => {
      error.textContent = model.get('error');
      error.hidden = !model.get('error');
    })
  ];
  return () => ends.forEach(end => end());
}

export default { render };
