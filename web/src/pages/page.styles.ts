// How the page looks: on phones the talk button stays at the bottom, under the thumb, and the rest passes above
// it; wide screens have it at the side. Colours come from page.css, light and dark.

import { css } from 'lit';

import { buttonStyles } from '../ui/button.styles';

export const pageStyles = css`
  ${buttonStyles}
  :host {
    display: flex;
    flex-direction: column;
    gap: 1rem;
    box-sizing: border-box;
    height: calc(100dvh - var(--mini-height, 0px));
    max-width: 34rem;
    margin: 0 auto;
    padding: max(1rem, env(safe-area-inset-top)) max(1rem, env(safe-area-inset-right)) 0
      max(1rem, env(safe-area-inset-left));
  }
  :host([hidden]) {
    display: none;
  }
  header {
    display: flex;
    align-items: baseline;
    justify-content: space-between;
    gap: 1rem;
  }
  h1 {
    margin: 0;
    font-size: 1.35rem;
  }
  h1:focus {
    outline: none;
  }
  h2 {
    margin: 0 0 0.5rem;
    font-size: 1rem;
  }
  .connection {
    color: var(--quiet);
  }
  .connection::before {
    content: '';
    display: inline-block;
    width: 0.6rem;
    height: 0.6rem;
    margin-right: 0.4rem;
    border-radius: 50%;
    background: var(--quiet);
  }
  .connection.up::before {
    background: var(--level);
  }
  main {
    display: flex;
    flex: 1;
    flex-direction: column;
    gap: 1rem;
    min-width: 0;
    margin: 0 -1rem;
    padding: 0 1rem;
    overflow-y: auto;
  }
  main > * {
    flex: none;
  }
  main section {
    padding: 1rem;
    border: 1px solid var(--line);
    border-radius: 0.9rem;
    background: var(--surface);
  }
  main section.settings {
    padding: 0.4rem 1rem;
  }
  .pending {
    visibility: hidden;
  }
  main p {
    margin: 0.5rem 0 0;
    color: var(--quiet);
  }
  .dock {
    container-type: inline-size;
    order: 1;
    margin: -1rem -1rem 0;
    padding: 0.75rem 1rem max(1rem, env(safe-area-inset-bottom));
    border-top: 1px solid var(--line);
    background: var(--ground);
  }
  #state {
    display: grid;
    align-content: end;
    min-height: 4.2em;
    margin: 0 0 0.6rem;
    line-height: 1.4;
    text-align: center;
    text-wrap: balance;
  }
  .dock level-meter {
    visibility: hidden;
  }
  :host([data-mic='live']) .dock level-meter {
    visibility: visible;
  }
  #state strong {
    font-size: 1rem;
  }
  :host([data-talk='live']) #state strong {
    color: var(--live);
  }
  /* Where there is less room than usual, the gaps give way first, then the large button. */
  .buttons {
    --talk-size: min(var(--talk-most, 9rem), 100cqw - 10.5rem);
    display: grid;
    grid-template-columns: 1fr auto 1fr;
    gap: clamp(0.5rem, (100cqw - 18.5rem) / 2, 1rem);
    align-items: center;
    margin-top: 0.75rem;
  }
  #listen {
    justify-self: end;
  }
  .buttons button {
    display: grid;
    align-content: center;
    justify-items: center;
    width: 4.75rem;
    height: 4.75rem;
    padding: 0;
    border-radius: 50%;
    font-size: 0.8rem;
    line-height: 1.2;
  }
  .buttons svg {
    width: 1.9rem;
  }
  button[aria-pressed='true'] {
    background: var(--accent);
    color: var(--on-accent);
  }
  button:disabled {
    border-color: var(--line);
    color: var(--quiet);
    cursor: default;
  }
  .more {
    display: grid;
    grid-template-columns: 1fr 1fr;
    gap: 0.75rem;
    margin-top: 0.75rem;
  }
  .more > * {
    display: flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    box-sizing: border-box;
    min-height: 2.75rem;
    padding: 0.3rem 0.5rem;
    border: 2px solid var(--line);
    border-radius: 0.75rem;
    color: var(--accent);
    font-weight: 600;
    text-decoration: none;
  }
  .more svg {
    flex: none;
    width: 1.4rem;
  }
  .unblock button {
    margin-top: 0.5rem;
    padding: 0 1rem;
  }
  :is(button, a):focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
  a {
    display: inline-block;
    padding: 0.6rem 0;
    color: var(--accent);
    overflow-wrap: anywhere;
  }
  .way {
    display: flex;
    box-sizing: content-box;
    align-items: center;
    justify-content: space-between;
    min-height: 2.75rem;
    padding: 0.4rem 1rem;
    border: 1px solid var(--line);
    border-radius: 0.9rem;
    background: var(--surface);
    font-weight: 650;
    text-decoration: none;
  }
  .way::after {
    content: '›';
    font-size: 1.5rem;
    line-height: 1;
  }
  footer {
    padding-bottom: 0.5rem;
    text-align: center;
  }
  /* A phone at twice its size: the buttons come first, one below the other, and everything passes together. */
  @media (max-width: 17rem) {
    :host {
      height: auto;
      min-height: 100dvh;
      padding-bottom: 1rem;
    }
    header {
      flex-wrap: wrap;
    }
    main {
      overflow: visible;
    }
    .dock {
      order: 0;
      margin: 0 -1rem;
      border-top: 0;
    }
    #state {
      min-height: 0;
    }
    .buttons {
      --talk-size: 7.5rem;
      grid-template-columns: 1fr 1fr;
      justify-items: center;
    }
    .buttons talk-button {
      grid-column: 1 / -1;
      grid-row: 1;
    }
    #listen {
      justify-self: center;
    }
    .more {
      grid-template-columns: 1fr;
    }
  }
  @media (min-width: 48rem), (orientation: landscape) and (max-height: 32rem) {
    :host {
      display: grid;
      height: auto;
      min-height: calc(100dvh - var(--mini-height, 0px));
      grid-template: auto 1fr / minmax(20.5rem, 1fr) minmax(0, 1.2fr);
      gap: 1rem 2rem;
      max-width: 64rem;
      padding-bottom: 1rem;
    }
    header {
      grid-column: 1 / -1;
    }
    main {
      margin: 0;
      padding: 0;
      overflow: visible;
    }
    .dock {
      position: sticky;
      top: 1rem;
      order: 0;
      align-self: start;
      margin: 0;
      padding: 1.25rem;
      border: 1px solid var(--line);
      border-radius: 0.9rem;
      background: var(--surface);
    }
  }
  @media (min-width: 48rem) and (min-height: 40rem) {
    .dock {
      --talk-most: 11.5rem;
      padding: 2rem 1.25rem;
    }
  }
`;
