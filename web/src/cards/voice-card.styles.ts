// How cards look: by the theme of Home Assistant where there is one, by the page's palette elsewhere.

import { css } from 'lit';

export const cardStyles = css`
  :host {
    --surface: var(--ha-card-background, var(--card-background-color, #ffffff));
    --ink: var(--primary-text-color, #1c2126);
    --quiet: var(--secondary-text-color, #5b646d);
    --line: var(--divider-color, #dcd9d2);
    --accent: var(--primary-color, #1f6f5c);
    --on-accent: var(--text-primary-color, #ffffff);
    --live: var(--error-color, #b3261e);
    --on-live: #ffffff;
    --level: var(--success-color, #2f9e80);
    --talk-size: 8.5rem;
    display: block;
    color: var(--ink);
    font: 1rem/1.45 var(--ha-font-family-body, var(--paper-font-common-base_-_font-family, system-ui, sans-serif));
    container-type: inline-size;
  }
  :host([data-theme='dark']) {
    --surface: var(--ha-card-background, var(--card-background-color, #1f2429));
    --ink: var(--primary-text-color, #eceef0);
    --quiet: var(--secondary-text-color, #a3adb6);
    --line: var(--divider-color, #363d44);
    --accent: var(--primary-color, #5cc3a5);
    --on-accent: var(--text-primary-color, #0c1f19);
    --live: var(--error-color, #ff8a80);
    --on-live: #2b0705;
    --level: var(--success-color, #5cc3a5);
  }
  .card {
    box-sizing: border-box;
    display: flex;
    flex-direction: column;
    gap: 0.85rem;
    height: 100%;
    padding: 1rem;
    overflow: hidden;
    border: var(--ha-card-border-width, 1px) solid var(--ha-card-border-color, var(--line));
    border-radius: var(--ha-card-border-radius, 12px);
    background: var(--surface);
    box-shadow: var(--ha-card-box-shadow, none);
  }
  h2 {
    display: flex;
    align-items: center;
    justify-content: space-between;
    margin: 0;
    font-size: 1.1rem;
    font-weight: 600;
    line-height: 1.4;
  }
  p {
    margin: 0;
  }
  .connection {
    width: 0.6rem;
    height: 0.6rem;
    border-radius: 50%;
    background: var(--line);
  }
  :host([data-connection='up']) .connection {
    background: var(--level);
  }
  .talking {
    display: grid;
    justify-items: center;
    gap: 0.6rem;
    text-align: center;
  }
  .talking level-meter {
    width: min(100%, 14rem);
    visibility: hidden;
  }
  :host([data-mic='live']) .talking level-meter {
    visibility: visible;
  }
  .listening {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem 0.9rem;
  }
  .listening .note {
    flex: 1 1 9rem;
  }
  button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    min-height: 2.75rem;
    padding: 0.4rem 1rem;
    border: 2px solid var(--accent);
    border-radius: 1.4rem;
    background: transparent;
    color: var(--ink);
    font: inherit;
    font-weight: 600;
    cursor: pointer;
  }
  button svg {
    flex: none;
    width: 1.4rem;
    height: 1.4rem;
  }
  button[aria-pressed='true'] {
    background: color-mix(in srgb, var(--accent) 22%, transparent);
  }
  button:disabled {
    border-color: var(--line);
    color: var(--quiet);
    cursor: not-allowed;
  }
  :is(button, input):focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
  .note {
    color: var(--quiet);
    font-size: 0.9rem;
  }
  #presence {
    min-height: 1.45em;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  h2 + #presence {
    margin-top: -0.7rem;
  }
  .warning {
    padding: 0.6rem 0.8rem;
    border: 1px solid color-mix(in srgb, var(--live) 45%, transparent);
    border-radius: 0.6rem;
    background: color-mix(in srgb, var(--live) 6%, transparent);
    font-size: 0.9rem;
    overflow-wrap: anywhere;
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  li {
    display: grid;
    grid-template-columns: 1fr auto;
    gap: 0.25rem 1rem;
    align-items: center;
    padding: 0.6rem 0;
    border-top: 1px solid var(--line);
  }
  li .name {
    overflow: hidden;
    text-overflow: ellipsis;
    font-weight: 600;
  }
  li .note {
    text-align: right;
  }
  input[type='range'] {
    width: 7rem;
    min-height: 2rem;
    margin: 0;
    accent-color: var(--accent);
  }
  .card.row {
    --talk-size: 2.75rem;
    --talk-glow: 0.25rem;
    flex-flow: row wrap;
    align-items: center;
    gap: 0.5rem;
    min-height: 3.5rem;
    padding: 0.3rem 0.75rem 0.3rem 1rem;
  }
  .card.tile {
    gap: 0.75rem;
    justify-content: center;
    padding: 0.6rem 0.65rem;
  }
  .row .words {
    flex: 1;
    min-width: 0;
    display: grid;
    line-height: 1.3;
  }
  .row :is(.words strong, .words .note) {
    overflow: hidden;
    white-space: nowrap;
    text-overflow: ellipsis;
  }
  .row > button {
    width: 2.75rem;
    padding: 0;
    border-radius: 50%;
  }
  .row > p {
    flex-basis: 100%;
    margin: 0.3rem 0;
  }
`;
