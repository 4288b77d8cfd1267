// Shows the lessons there are.
const list = document.getElementById('lessons');
const { lessons } = await (await fetch('/lessons')).json();
list.replaceChildren(...lessons.map(({ title }) => Object.assign(document.createElement('li'), { textContent: title })));
