// Keeps the list fresh. Only textContent is ever written: a subject stays a subject.
const list = document.getElementById("mails");
const live = document.getElementById("live");
let seen = Number(document.getElementById("count").textContent);

function cell(name, text, tag = "span") {
  const node = document.createElement(tag);
  node.className = name;
  node.textContent = text;
  return node;
}

function row(mail) {
  const link = document.createElement("a");
  link.href = "/messages/" + mail.number;
  const time = cell("", mail.received_at.slice(11, 19), "time");
  time.dateTime = mail.received_at;
  link.append(cell("to", mail.to), time, cell("subject", mail.subject));
  if (mail.trigger) link.append(cell("trigger", mail.trigger));
  const item = document.createElement("li");
  item.className = "fresh";
  item.append(link);
  return item;
}

function show({ count, messages }) {
  const fresh = messages.filter((mail) => mail.number > seen);
  list.prepend(...fresh.map(row));
  while (list.children.length > 200) list.lastElementChild.remove();
  document.getElementById("count").textContent = count;
  document.getElementById("unit").textContent = count === 1 ? "mail" : "mails";
  document.getElementById("empty").hidden = count > 0;
  document.title = `Inbox (${count})`;
  seen = count;
}

async function ask() {
  try {
    const answer = await fetch("/api/messages?limit=200");
    show(await answer.json());
    live.textContent = "live";
    live.className = "live";
  } catch {
    live.textContent = "the inbox has stopped";
    live.className = "live lost";
  }
  setTimeout(ask, 1000);
}
ask();
