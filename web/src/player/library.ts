// The files that the relay has, as its API lists them.

/** One file. */
export interface SoundFile {
  id: string;
  /** Its folder and its path below that. */
  name: string;
  mime: string;
  /** Bytes. */
  size: number;
  /** Seconds; null where the file does not tell. */
  duration: number | null;
  /** From its tags. */
  title: string | null;
  /** Whether it has a picture. */
  cover: boolean;
}

/** A part of the list. */
export interface Listed {
  files: SoundFile[];
  /** All that match. */
  total: number;
}

/** Files of one page of the list. */
export const PAGE = 50;

/** Longer searches are refused by the relay. */
export const SEARCH_LENGTH = 200;

/** Files whose name or title has these words, from number `offset` on. Fails where the relay does not answer. */
export async function listFiles(base: URL, search: string, offset: number, signal: AbortSignal): Promise<Listed> {
  const url = new URL('api/files', base);
  url.search = new URLSearchParams({ search, offset: String(offset), limit: String(PAGE) }).toString();
  const answer = await fetch(url, { cache: 'no-store', signal });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as Listed;
}

/** What people call it. */
export function titleOf({ title, name }: Pick<SoundFile, 'title' | 'name'>): string {
  return title ?? name.slice(name.lastIndexOf('/') + 1).replace(/\.\w+$/, '');
}

/** Where it is, as a file. */
export function addressOf(base: URL, { id }: Pick<SoundFile, 'id'>): URL {
  return new URL(`api/files/${id}`, base);
}
