// Where the sounds are a drawer beside the house, and not a page in its place. The same width stands in page.css.

export const DRAWER = matchMedia('(min-width: 76rem)');
