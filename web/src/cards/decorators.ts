// Lit's decorators for the cards' module, which a page may load twice: an element that is defined already stays as
// it is, instead of an error that would end the whole module. Takes the place of `lit/decorators.js` there.

export { property } from 'lit/decorators/property.js';
export { state } from 'lit/decorators/state.js';

/** Defines an element, unless there is one of this name. */
export function customElement(name: string) {
  return (element: CustomElementConstructor): void => {
    if (!customElements.get(name)) customElements.define(name, element);
  };
}
