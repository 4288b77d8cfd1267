// The page: asks for reports and shows how far they are.
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

const EVERY_MILLISECONDS = 2_000;

async function ask(title) {
  await fetch('/api/reports', { method: 'POST', body: JSON.stringify({ title, pages: 12 }) });
}

function Desk() {
  const [reports, setReports] = useState([]);
  useEffect(() => {
    const look = async () => setReports((await (await fetch('/api/reports')).json()).reports);
    look();
    const timer = setInterval(look, EVERY_MILLISECONDS);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <h1>Report desk</h1>
      <form action={(form) => ask(form.get('title'))}>
        <input name="title" placeholder="What about?" required />
        <button>Ask for a report</button>
      </form>
      <ul>
        {reports.map(({ number, title, written, pages }) => (
          <li key={number}>
            {title}: {written} of {pages} pages
          </li>
        ))}
      </ul>
    </>
  );
}

createRoot(document.getElementById('desk')).render(<Desk />);
