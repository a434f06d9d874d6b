import { css } from 'lit';

export const videoTileStyles = css`
  :host {
    display: block;
    position: relative;
    min-width: 0;
    aspect-ratio: 16 / 9;
  }
  figure {
    position: absolute;
    inset: 0;
    display: grid;
    place-items: center;
    margin: 0;
    overflow: hidden;
    border: 3px solid transparent;
    border-radius: 0.75rem;
    background: #1c1f24;
    color: #fff;
  }
  figure.talking {
    border-color: var(--live);
  }
  video {
    width: 100%;
    height: 100%;
    object-fit: cover;
  }
  .screen video {
    object-fit: contain;
  }
  .mirrored video {
    transform: scaleX(-1);
  }
  [hidden] {
    display: none;
  }
  figcaption {
    position: absolute;
    bottom: 0.4rem;
    left: 0.4rem;
    max-width: calc(100% - 0.8rem);
    box-sizing: border-box;
    overflow: hidden;
    padding: 0.15rem 0.5rem;
    border-radius: 0.5rem;
    background: rgb(0 0 0 / 65%);
    font-size: 0.9rem;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .face {
    position: relative;
    display: grid;
    place-items: center;
    width: 4rem;
    height: 4rem;
    overflow: hidden;
    border-radius: 50%;
    background: #3a4049;
    font-size: 1.75rem;
  }
  .face img {
    position: absolute;
    width: 100%;
    height: 100%;
    object-fit: cover;
  }
  .state {
    position: absolute;
    top: 0.4rem;
    right: 3.25rem;
    left: 0.75rem;
    margin: 0;
    font-size: 0.9rem;
  }
  .tools {
    position: absolute;
    top: 0.4rem;
    right: 0.4rem;
    display: grid;
    gap: 0.3rem;
    opacity: 0;
    transition: opacity 0.15s;
  }
  :host(:hover) .tools,
  :host(:focus-within) .tools {
    opacity: 1;
  }
  @media (hover: none) {
    .tools {
      opacity: 0.85;
    }
    .tools button:not(.enlarge) {
      display: none;
    }
    :host(.large) .tools button {
      display: block;
    }
  }
  .tools button {
    width: 2.5rem;
    height: 2.5rem;
    border: 0;
    border-radius: 0.5rem;
    background: rgb(0 0 0 / 65%);
    color: inherit;
    font: inherit;
    font-size: 1.25rem;
    cursor: pointer;
  }
`;
