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
      return [button('Give up', () => unload(true), { label: `Stop loading ${id}` })];
    case 'ready':
      return [
        button('Unload', () => unload(false), { label: `Unload ${id}` }),
        button(pinned ? 'Unpin' : 'Pin', pin, {
          label: pinned ? `Let ${id} make room` : `Keep ${id} loaded`
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

/** A row of the list; its options stay open while its state changes. */
class Row {
  constructor(id, send) {
    this.send = send;
    this.name = element('strong', {}, id);
    this.state = element('span', { className: 'llm-line' });
    this.facts = element('span', { className: 'llm-facts' });
    this.error = element('span', { className: 'llm-error' });
    this.actions = element('span', { className: 'llm-actions' });
    this.form = loadForm(id, send);
    this.node = element(
      'li',
      { className: 'llm-row' },
      element('div', { className: 'llm-line' }, this.name, this.state),
      this.facts,
      this.error,
      element('div', { className: 'llm-line' }, this.actions, this.form)
    );
  }

  show(item, isDefault) {
    const text = JSON.stringify([item, isDefault]);
    if (text === this.shown) {
      return;
    }
    const focused = this.actions.contains(document.activeElement);
    this.shown = text;
    this.state.replaceChildren(...stateLine(item));
    this.facts.textContent = isDefault ? `${item.facts} · default` : item.facts;
    this.error.textContent = item.error;
    this.error.hidden = !item.error;
    this.actions.replaceChildren(...actions(item, this.send));
    this.form.hidden = !['unloaded', 'failed', 'ready'].includes(item.state);
    if (focused) {
      this.actions.querySelector('button')?.focus();
    }
  }
}

function downloadRow(item, send) {
  const act = what => () => send({ do: what, id: item.id });
  const going = GOING.includes(item.state);
  const again = item.state === 'paused' || item.state === 'failed';
  const name = item.reference;
  return element(
    'li',
    { className: 'llm-row' },
    element(
      'div',
      { className: 'llm-line' },
      element('strong', {}, name),
      element('span', {}, item.state),
      going ? bar(item.fraction, `${name}: ${item.state}`) : null
    ),
    element('span', { className: 'llm-facts' }, item.facts),
    item.error ? element('span', { className: 'llm-error' }, item.error) : null,
    element(
      'div',
      { className: 'llm-actions' },
      going ? button('Pause', act('pause'), { label: `Pause ${name}` }) : null,
      again ? button('Go on', act('resume'), { label: `Go on with ${name}` }) : null,
      going || again ? button('Cancel', act('cancel'), { label: `Cancel ${name}` }) : null,
      going ? null : button('Forget', act('forget'), { label: `Forget ${name}` })
    )
  );
}

function render({ model, el }) {
  const send = content => model.send(content);
  const rows = new Map();
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
      if (!rows.has(item.id)) {
        rows.set(item.id, new Row(item.id, send));
      }
      const row = rows.get(item.id);
      row.show(item, item.id === model.get('default_model'));
      return row.node;
    });
    const same =
      nodes.length === list.children.length && nodes.every((n, i) => n === list.children[i]);
    if (!same) {
      list.replaceChildren(...nodes);
    }
  };
  search.addEventListener('input', showModels);
  const ends = [
    follow(model, ['models', 'default_model'], showModels),
    follow(model, ['downloads'], () =>
      downloads.replaceChildren(
        ...model.get('downloads').map(item => downloadRow(item, send))
      )
    ),
    follow(model, ['memory'], () => (memory.textContent = model.get('memory'))),
    follow(model, ['error'], () => {
      error.textContent = model.get('error');
      error.hidden = !model.get('error');
    })
  ];
  return () => ends.forEach(end => end());
}

export default { render };
