// nodemailer's pool, and handlebars to fill. HOST PORT COUNT CONNECTIONS FOLDER
const fs = require("node:fs");
const path = require("node:path");
const nodemailer = require("nodemailer");
const handlebars = require("handlebars");

const [host, port, count, connections, folder] = process.argv.slice(2);
const [subject, text, html] = ["subject.txt", "body.txt", "body.html"].map((name) =>
  handlebars.compile(fs.readFileSync(path.join(folder, name), "utf8")),
);
const pool = nodemailer.createTransport({
  pool: true,
  host,
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  maxConnections: Number(connections),
  maxMessages: Infinity,
});

let next = 0;
async function send() {
  while (next < Number(count)) {
    const number = next++;
    const facts = { first_name: `Member ${number}`, token: number.toString(16).padStart(32, "0") };
    await pool.sendMail({
      from: "news@roll.example.org",
      to: `member${number}@example.org`,
      subject: subject(facts),
      text: text(facts),
      html: html(facts),
    });
  }
}

Promise.all(Array.from({ length: Number(connections) }, send)).then(() => pool.close());
