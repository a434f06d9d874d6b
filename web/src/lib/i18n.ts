// Words for people, in their language. Each part of the client keeps its own messages beside it, in
// `messages/`, with one record for each language.

/** Languages that there are words in. */
export type Language = 'en' | 'de';

/** The words of one part of the client. English is complete; what another language lacks is said in English. */
export type Messages<Key extends string> = { en: Record<Key, string> } & Partial<Record<Exclude<Language, 'en'>, Partial<Record<Key, string>>>>;

let language: Language = languageOf(typeof navigator === 'undefined' ? [] : navigator.languages);

/** The first of these that we speak, or English. */
export function languageOf(wanted: readonly string[]): Language {
  const known = wanted.map((tag) => tag.toLowerCase().split('-')[0]);
  return known.find((tag): tag is Language => tag === 'en' || tag === 'de') ?? 'en';
}

/** Speaks another language from now on, as Home Assistant's user has chosen it. */
export function speak(wanted: string): void {
  language = languageOf([wanted]);
}

/** The language that is spoken now, for `lang` and for numbers. */
export function spoken(): Language {
  return language;
}

/** A function from keys to words; `{name}` in a message is replaced by that value. */
export function translator<Key extends string>(messages: Messages<Key>) {
  return (key: Key, values: Record<string, string | number> = {}): string => {
    const text = messages[language]?.[key] ?? messages.en[key];
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  };
}
