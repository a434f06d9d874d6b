// What only the status page needs besides part.styles.ts.

import { css } from 'lit';

export const statusPageStyles = css`
  /* About as high as what will be here, so that little moves when it comes. */
  .findings.pending {
    min-height: 27rem;
  }
  .findings li {
    display: grid;
    grid-template-columns: 1.5rem minmax(0, 1fr);
    gap: 0 0.6rem;
    padding: 0.65rem 0;
    border-top: 1px solid var(--line);
  }
  .findings li:first-child {
    border-top: 0;
  }
  .findings p {
    grid-column: 2;
    margin: 0;
  }
  .findings .note {
    margin-top: 0.15rem;
  }
  .mark {
    width: 1.5rem;
    height: 1.5rem;
    border-radius: 50%;
    background: var(--line);
    color: var(--ink);
    font-size: 0.9rem;
    font-weight: 700;
    line-height: 1.5rem;
    text-align: center;
  }
  .ok .mark {
    background: var(--accent);
    color: var(--on-accent);
  }
  .wrong .mark {
    background: var(--live);
    color: var(--on-live);
  }
  .attention .mark {
    box-shadow: inset 0 0 0 2px var(--accent);
    background: transparent;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  #summary {
    min-height: 1.5em;
    margin: 0 0 0.5rem;
    font-weight: 600;
  }
  dl {
    display: grid;
    grid-template-columns: minmax(6rem, auto) minmax(0, 1fr);
    gap: 0.35rem 1rem;
    margin: 0;
  }
  @media (max-width: 30rem) {
    dl.long {
      display: block;
    }
    dl.long dd {
      margin-bottom: 0.5rem;
    }
  }
  dt {
    color: var(--quiet);
  }
  dd {
    margin: 0;
    overflow-wrap: anywhere;
  }
  table {
    width: 100%;
    margin: 0.75rem 0 0;
    border-collapse: collapse;
    table-layout: fixed;
  }
  th,
  td {
    padding: 0.45rem 0.5rem 0.45rem 0;
    border-top: 1px solid var(--line);
    text-align: left;
    vertical-align: middle;
  }
  thead th {
    border-top: 0;
    color: var(--quiet);
    font-size: 0.85rem;
    font-weight: 400;
  }
  tbody th {
    font-weight: 400;
    overflow-wrap: break-word;
  }
  td:last-child,
  th:last-child {
    width: 44%;
    padding-right: 0;
  }
  td {
    font-variant-numeric: tabular-nums;
  }
  td small {
    color: var(--quiet);
  }
  article + article {
    margin-top: 1.5rem;
    padding-top: 0.5rem;
    border-top: 1px solid var(--line);
  }
  textarea {
    box-sizing: border-box;
    width: 100%;
    height: 16rem;
    margin-top: 0.75rem;
    padding: 0.75rem;
    border: 1px solid var(--line);
    border-radius: 0.5rem;
    background: var(--ground);
    color: var(--ink);
    font: 0.85rem/1.4 ui-monospace, monospace;
  }
`;
