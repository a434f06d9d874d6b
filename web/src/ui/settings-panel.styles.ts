// How the settings look.

import { css } from 'lit';

import { buttonStyles } from './button.styles';
import { fieldStyles } from './field.styles';

export const settingsStyles = css`
  ${buttonStyles}
  ${fieldStyles}
  :host {
    display: block;
  }
  .field {
    margin-top: 0.75rem;
  }
  p {
    margin: 0.25rem 0 0;
    color: var(--quiet);
    font-size: 0.9rem;
  }
  .switch {
    display: flex;
    align-items: center;
    justify-content: space-between;
    min-height: 2.75rem;
    margin-top: 0.5rem;
    cursor: pointer;
  }
  .switch input {
    appearance: none;
    position: relative;
    flex: none;
    width: 3rem;
    height: 1.75rem;
    margin: 0;
    border: 2px solid var(--quiet);
    border-radius: 1rem;
    background: transparent;
    cursor: pointer;
  }
  .switch input::after {
    content: '';
    position: absolute;
    inset: 3px auto 3px 3px;
    width: 1.125rem;
    border-radius: 50%;
    background: var(--quiet);
    transition: transform 120ms;
  }
  .switch input:checked {
    border-color: var(--accent);
    background: var(--accent);
  }
  .switch input:checked::after {
    background: var(--on-accent);
    transform: translateX(1.25rem);
  }
  .tests {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem;
    margin: 0.75rem 0;
  }
  button {
    flex: 1 1 9rem;
  }
  button[aria-pressed='true'] {
    border-color: var(--live);
    color: var(--live);
  }
  @media (prefers-reduced-motion: reduce) {
    .switch input::after {
      transition: none;
    }
  }
`;
