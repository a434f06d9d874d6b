// Copying text, also on pages that came by plain HTTP, where browsers have no clipboard for pages.

/** Copies; false when this browser lets no page do so, and the person has to. */
export async function copyText(text: string): Promise<boolean> {
  // Absent on plain HTTP, whatever the types say.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  try {
    if (!clipboard) return copyByCommand(text);
    await clipboard.writeText(text);
    return true;
  } catch {
    // A frame around the page may keep this way from it, and not the old one.
    return copyByCommand(text);
  }
}

/** Marks an element's text, so that a person can copy it. */
export function selectText(element: Element): void {
  if (element instanceof HTMLTextAreaElement) element.select();
  else getSelection()?.selectAllChildren(element);
}

function copyByCommand(text: string): boolean {
  let copied = false;
  const give = (event: ClipboardEvent) => {
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
    copied = true;
  };
  document.addEventListener('copy', give, { once: true });
  // Old, but the only way on plain HTTP, which is what most homes have.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  document.execCommand('copy');
  document.removeEventListener('copy', give);
  return copied;
}
