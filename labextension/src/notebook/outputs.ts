import { type ICellModel, isCodeCellModel } from '@jupyterlab/cells';
import type { IOutput, IError } from '@jupyterlab/nbformat';
import {
  isDisplayData,
  isError,
  isExecuteResult,
  isStream
} from '@jupyterlab/nbformat';

/** Most characters of an output that are told to a model: its beginning and end. */
const LONGEST = 8_000;

// The codes that colour text in a terminal.
// eslint-disable-next-line no-control-regex -- They begin with a control character.
const COLOURS = /\u001b\[[0-9;]*m/g;

/** The text that a cell put out. */
export function textOf(cell: ICellModel): string {
  const texts = outputsOf(cell).map(output => {
    if (isStream(output)) {
      return join(output.text);
    }
    if (isError(output)) {
      return traceback(output);
    }
    if (isDisplayData(output) || isExecuteResult(output)) {
      const plain = output.data['text/plain'];
      return isText(plain) ? join(plain) : '';
    }
    return '';
  });
  return shorten(texts.filter(text => text !== '').join('\n'));
}

/** The plots that a cell put out, as data URLs. */
export function imagesOf(cell: ICellModel): string[] {
  return outputsOf(cell).flatMap(output => {
    if (!isDisplayData(output) && !isExecuteResult(output)) {
      return [];
    }
    const png = output.data['image/png'];
    return isText(png) ? [`data:image/png;base64,${join(png).trim()}`] : [];
  });
}

/** How a cell failed; null if it did not. */
export function errorOf(cell: ICellModel): string | null {
  const error = outputsOf(cell).find(isError);
  return error === undefined ? null : shorten(traceback(error));
}

function outputsOf(cell: ICellModel): IOutput[] {
  return isCodeCellModel(cell) ? cell.outputs.toJSON() : [];
}

function traceback({ ename, evalue, traceback: lines }: IError): string {
  const text = lines.join('\n').replace(COLOURS, '');
  return text === '' ? `${ename}: ${evalue}` : text;
}

function isText(value: unknown): value is string | string[] {
  return typeof value === 'string' || Array.isArray(value);
}

function join(text: string | string[]): string {
  return typeof text === 'string' ? text : text.join('');
}

function shorten(text: string): string {
  const half = LONGEST / 2;
  return text.length <= LONGEST
    ? text
    : `${text.slice(0, half)}\n…\n${text.slice(-half)}`;
}
