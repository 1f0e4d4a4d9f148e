/** Have the browser save a file. */
export function saveAs(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken hold of the blob by the next turn of its event loop.
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  });
}

/** A title as the name of a file, without what file systems refuse. */
export function fileNameOf(title: string): string {
  const name = title.replace(/[\\/:*?"<>|\s]+/g, ' ').trim();
  return name === '' ? 'conversation' : name;
}
