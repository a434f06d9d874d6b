// The call that this page was opened for: whoever pressed *Answer* on a phone's notification comes by an address that names
// it. In Home Assistant that is the address of the page around ours.

const PARAMETER = 'call';

/** The call's id; null where this page was opened for none. */
export function callInAddress(): string | null {
  return readFrom(window) ?? (window.parent === window ? null : readFrom(window.parent));
}

/** It was answered, or is over: coming back to this address later is not for that call. */
export function forgetCallInAddress(): void {
  const here = new URL(location.href);
  if (!here.searchParams.has(PARAMETER)) return;
  here.searchParams.delete(PARAMETER);
  history.replaceState(null, '', here);
}

function readFrom({ location }: Pick<Window, 'location'>): string | null {
  try {
    return new URLSearchParams(location.search).get(PARAMETER);
  } catch {
    // A page of another origin shows ours in a frame; its address is its own.
    return null;
  }
}
