// The search of the site: the index is loaded when somebody begins to search, and stays in the browser.
const form = document.querySelector('form[role=search]');
const input = form.querySelector('input');
const list = form.querySelector('ol');
let index;

function load() {
  index ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `${form.dataset.up}search-index.js`;
    script.onload = () =>
      resolve(
        MiniSearch.loadJSON(self.searchIndex, {
          fields: ['title', 'heading', 'text'],
          storeFields: ['title', 'heading'],
        }),
      );
    script.onerror = reject;
    document.head.append(script);
  });
  return index;
}

async function search() {
  const words = input.value.trim();
  if (words === '') return show([]);
  const found = (await load()).search(words, {
    boost: { title: 3, heading: 2 },
    prefix: true,
    fuzzy: 0.15,
    combineWith: 'AND',
  });
  if (input.value.trim() === words) show(found.slice(0, 12), words);
}

function show(found, words) {
  const items = found.map(({ id, title, heading }) => {
    const item = document.createElement('li');
    const link = document.createElement('a');
    link.href = form.dataset.up + id;
    link.textContent = heading === '' || heading === title ? title : `${title}: ${heading}`;
    item.append(link);
    return item;
  });
  if (words && items.length === 0) {
    const item = document.createElement('li');
    item.textContent = 'Nothing found';
    items.push(item);
  }
  list.replaceChildren(...items);
  list.hidden = items.length === 0;
}

input.addEventListener('focus', load, { once: true });
input.addEventListener('input', search);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  list.querySelector('a')?.click();
});
form.addEventListener('keydown', (event) => {
  const links = [input, ...list.querySelectorAll('a')];
  const at = links.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === 'Escape') show([]);
  if (step === undefined) return;
  event.preventDefault();
  links[(at + step + links.length) % links.length].focus();
});
document.addEventListener('click', (event) => form.contains(event.target) || show([]));
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || /INPUT|TEXTAREA/.test(document.activeElement.tagName)) return;
  event.preventDefault();
  input.focus();
});

// On a wide screen the contents are always open.
const menu = document.querySelector('.menu');
const wide = matchMedia('(min-width: 60rem)');
const adapt = () => {
  menu.open = wide.matches;
};
wide.addEventListener('change', adapt);
adapt();
menu.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
