"use strict";
(async () => {
  const element = (id) => document.getElementById(id);
  const plan = JSON.parse(element("plan").textContent);
  const packed = atob(element("program").textContent.trim());
  const program = await WebAssembly.compile(Uint8Array.from(packed, (char) => char.charCodeAt(0)));
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
  const SHOWN = 200;

  // Runs the program, with `text` as its standard input, and gives what it wrote to standard output.
  async function run(text) {
    const input = encoder.encode(text);
    const output = [];
    let [memory, read] = [null, 0];
    // Hands each buffer of a list in the program's memory to `pass`, which says how many bytes of it were passed.
    const each = (pass) => (file, buffers, count, passed) => {
      const view = new DataView(memory.buffer);
      let total = 0;
      for (let at = buffers; at < buffers + 8 * count; at += 8) {
        const [begin, len] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
        total += pass(new Uint8Array(memory.buffer, begin, len), file);
      }
      view.setUint32(passed, total, true);
      return 0;
    };
    const none = (count, size) => {
      const view = new DataView(memory.buffer);
      view.setUint32(count, 0, true);
      view.setUint32(size, 0, true);
      return 0;
    };
    const system = {
      fd_read: each((buffer) => {
        const part = input.subarray(read, read + buffer.length);
        buffer.set(part);
        read += part.length;
        return part.length;
      }),
      fd_write: each((buffer, file) => {
        if (file === 1) output.push(buffer.slice());
        return buffer.length;
      }),
      environ_sizes_get: none,
      environ_get: () => 0,
      proc_exit: (code) => { throw new Error(`the program ended with ${code}`); },
    };
    const instance = await WebAssembly.instantiate(program, { wasi_snapshot_preview1: system });
    memory = instance.exports.memory;
    instance.exports._start();
    return decoder.decode(await new Blob(output).arrayBuffer());
  }

  const make = (name, text, kind) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };
  const server = (side, index) => {
    const cell = make("td");
    const dot = make("span", undefined, "dot");
    dot.style.background = side.colours[index];
    cell.append(dot, side.names[index]);
    return cell;
  };
  const moves = (row) => plan.old.names[row.from] !== plan.new.names[row.to];

  // Lights up the servers of one key on both rings, or none.
  function light(row) {
    for (const [name, side, index] of [["before", plan.old, row?.from], ["after", plan.new, row?.to]]) {
      const ring = element(`ring-${name}`);
      element(`on-${name}`).textContent = row ? side.names[index] : "";
      if (!ring) continue;
      ring.classList.toggle("lit", row !== undefined);
      for (const arc of ring.querySelectorAll("[data-server]")) {
        arc.classList.toggle("on", arc.dataset.server === String(index));
      }
    }
  }

  function show(rows) {
    const good = rows.filter((row) => row.wrong === undefined);
    const gone = good.filter(moves).length;
    const told = element("told");
    told.textContent = "";
    if (rows.length === 1 && good.length === 1) {
      const [{ key, from, to }] = good;
      told.append(make("b", key), " ", gone ? "moves from " : "stays on ", make("b", plan.old.names[from]));
      if (gone) told.append(" to ", make("b", plan.new.names[to]));
    } else if (rows.length) {
      const percent = good.length ? (100 * gone / good.length).toFixed(2) : "0.00";
      const [kept, s] = [good.length - gone, (count) => (count === 1 ? "s" : "")];
      told.append(`Of ${good.length} keys, ${kept} stay${s(kept)} and ${gone} move${s(gone)}, ${percent} %.`);
      const bad = rows.length - good.length;
      if (bad) told.append(` ${bad} cannot be read.`);
    }
    light(rows.length === 1 ? good[0] : undefined);

    const lines = rows.slice(0, SHOWN).map((row) => {
      const line = make("tr");
      line.append(make("td", row.key));
      if (row.wrong !== undefined) {
        const cell = make("td", row.wrong, "moves");
        cell.colSpan = 3;
        line.append(cell);
      } else {
        const gone = moves(row);
        line.append(server(plan.old, row.from), server(plan.new, row.to));
        line.append(make("td", gone ? "moves" : "stays", gone ? "moves" : "stays"));
      }
      return line;
    });
    element("rows").replaceChildren(...lines);
    element("found").hidden = rows.length === 0;
    element("more").textContent = rows.length > SHOWN ? `The first ${SHOWN} keys. All are in the text below.` : "";
    element("text").value = rows.map(({ key, from, to, wrong }) =>
      wrong === undefined ? `${key}\t${plan.old.names[from]}\t${plan.new.names[to]}\n` : `${key}\t! ${wrong}\n`).join("");
  }

  const field = element("keys");
  let newest = 0;
  async function look() {
    const number = ++newest;
    const keys = field.value.split("\n").filter((key) => key !== "");
    const answer = keys.length ? await run(`${plan.request}${keys.join("\n")}\n`) : "";
    // Who types fast is told about the newest keys alone.
    if (number !== newest) return;
    const lines = answer.split("\n");
    if (lines[0].startsWith("error: ")) throw new Error(lines[0]);
    show(keys.map((key, at) => {
      const line = lines[at];
      if (line.startsWith("! ")) return { key, wrong: line.slice(2) };
      const [from, to] = line.split("\t").map(Number);
      return { key, from, to };
    }));
    field.dataset.answered = String(keys.length);
  }
  const tell = (error) => { element("told").textContent = `It does not work here: ${error.message}`; };
  field.addEventListener("input", () => look().catch(tell));
  field.disabled = false;
  await look().catch(tell);
})().catch((error) => { document.getElementById("told").textContent = `It does not work here: ${error.message}`; });
