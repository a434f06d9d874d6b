import { afterEach, expect, test } from 'vitest';

import { languageOf, speak, translator } from './i18n';

afterEach(() => {
  speak('en');
});

test('the first language that we speak is taken, or English', () => {
  expect(languageOf(['fr-FR', 'de-AT', 'en'])).toBe('de');
  expect(languageOf(['fr'])).toBe('en');
  expect(languageOf([])).toBe('en');
});

test('values are put in, and what a language lacks is said in English', () => {
  const t = translator({ en: { hello: 'Hello {name}', bye: 'Bye' }, de: { hello: 'Hallo {name}' } });
  expect(t('hello', { name: 'Anna' })).toBe('Hello Anna');
  speak('de-DE');
  expect(t('hello', { name: 'Anna' })).toBe('Hallo Anna');
  expect(t('bye')).toBe('Bye');
  expect(t('hello')).toBe('Hallo {name}');
});
