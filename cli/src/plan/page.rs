//! The page of a change: one file that needs nothing else, with the placement core in it to say where any key goes.

use core::fmt::{self, Write as _};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use memring_core::Weight;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Change, Side, picture};
use crate::{
    scheme_args::{Choice, indexes},
    share::{self, percent},
    svg::Xml,
};

/// What runs in a page, as `cli/page/build` makes it of `cli/page` and the core.
const PROGRAM: &[u8] = include_bytes!("page/page.wasm");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// Writes the page. `old` and `new` are the schemes with their options.
pub(super) fn write(change: &Change<'_>, old: &Choice<'_>, new: &Choice<'_>) -> String {
    let mut page = String::new();
    // A text that is written to cannot fail.
    let _ = put(&mut page, change, (old, new));
    page
}

fn put(page: &mut String, change: &Change<'_>, (old, new): (&Choice<'_>, &Choice<'_>)) -> fmt::Result {
    let title = picture::title(change);
    let schemes = picture::schemes(change);
    let known = share::precision(&change.known, change.plan.moved());
    write!(
        page,
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-{}' 'wasm-unsafe-eval'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – memring</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<header>
<h1>{title}</h1>
<p class="about">{} · all shares are {}</p>
</header>
"#,
        digest(SCRIPT),
        digest(STYLE),
        Xml(&schemes),
        Xml(&known),
    )?;
    figures(page, change)?;
    rings(page, change)?;
    page.write_str(LOOK_UP)?;
    let flow = picture::flow_alone(change);
    write!(
        page,
        "<section class=\"flow\">\n<h2>What goes where</h2>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Flow of the keys\">\n{flow}</div>\n\
         <p class=\"hint\">Each band is a share of all keys. Grey stays where it is; what moves has the colour of where it \
         goes. Servers: cool colours are in both lists, warm ones are new, grey ones leave.</p>\n</section>\n"
    )?;
    servers(page, change)?;
    let told = json!({
        "request": request(&change.old, old) + &request(&change.new, new),
        "old": side(&change.old, change),
        "new": side(&change.new, change),
    });
    // What stands in a script ends at a `<`, whoever wrote it.
    let told = told.to_string().replace('<', "\\u003c");
    let program = BASE64_STANDARD.encode(PROGRAM);
    write!(
        page,
        "<footer>Made by memring {}. This page loads nothing and sends nothing: keys are placed in it, by the code that the \
         command line and the libraries have.</footer>\n</main>\n\
         <script type=\"application/json\" id=\"plan\">{told}</script>\n\
         <script type=\"text/plain\" id=\"program\">{program}</script>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
    )
}

/// What a security policy calls a script or a style sheet.
fn digest(text: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(text))
}

fn figures(page: &mut String, change: &Change<'_>) -> fmt::Result {
    let (kept, moved, ideal) = (change.plan.kept(), change.plan.moved(), change.ideal());
    let (kept_wide, tick) = (kept * 1000.0, ideal * 1000.0);
    write!(
        page,
        r#"<section>
<dl class="figures">
<div><dt>stays: hit rate to expect</dt><dd class="stays">{}</dd></div>
<div><dt>moves to another server</dt><dd class="moves">{}</dd></div>
<div><dt>ideal: shares by weight alone</dt><dd>{}</dd></div>
</dl>
<svg class="bar" viewBox="0 0 1000 26" preserveAspectRatio="none" aria-hidden="true"><rect class="stays" y="7" width="{kept_wide:.2}" height="12"/><rect class="moves" x="{kept_wide:.2}" y="7" width="{:.2}" height="12"/><line x1="{tick:.2}" x2="{tick:.2}" y1="0" y2="26" stroke-width="2" vector-effect="non-scaling-stroke"/></svg>
<p class="hint">The mark is the ideal.</p>
</section>
"#,
        percent(kept),
        percent(moved),
        percent(ideal),
        moved * 1000.0,
    )
}

fn rings(page: &mut String, change: &Change<'_>) -> fmt::Result {
    page.write_str("<section>\n<h2>Before and after</h2>\n<div class=\"rings\">\n")?;
    for (side, name) in [(&change.old, "before"), (&change.new, "after")] {
        let servers = side.servers().len();
        page.write_str("<figure>\n")?;
        if let Some(ring) = picture::ring_alone(change, side, name) {
            page.write_str(&ring)?;
        }
        write!(page, "<figcaption>{servers} servers <b id=\"on-{name}\"></b></figcaption>\n</figure>\n")?;
    }
    page.write_str("</div>\n</section>\n")
}

/// Where keys are typed and answered.
const LOOK_UP: &str = r#"<section>
<h2>Where does a key go</h2>
<label for="keys">Keys, one a line: type one, or paste many</label>
<textarea id="keys" rows="3" spellcheck="false" autocomplete="off" autocapitalize="off" aria-describedby="hint" disabled></textarea>
<p class="hint" id="hint">As <code>memring where --keys</code> reads them: <code>\xNN</code> is a byte, everything else is itself.</p>
<noscript><p>Without scripts, no key can be placed here; everything else is in the page.</p></noscript>
<p id="told" role="status" aria-live="polite"></p>
<div id="found" hidden>
<div class="scroll" tabindex="0" role="region" aria-label="Keys and their servers">
<table><thead><tr><th scope="col">key</th><th scope="col">before</th><th scope="col">after</th><th scope="col"></th></tr></thead><tbody id="rows"></tbody></table>
</div>
<p class="hint" id="more"></p>
<details><summary>All as text, with tabs</summary><label for="text" hidden>Keys, servers before, servers after</label><textarea id="text" rows="10" readonly></textarea></details>
</div>
</section>
"#;

fn servers(page: &mut String, change: &Change<'_>) -> fmt::Result {
    let rows = change.server_rows();
    let open = if rows.len() > MOST_OPEN { "" } else { " open" };
    page.write_str("<section>\n<h2>Servers</h2>\n")?;
    writeln!(page, "<details{open}><summary>{} servers, before and after</summary>", rows.len())?;
    page.write_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Shares of the servers\">\n<table><thead><tr>\
         <th scope=\"col\">server</th>",
    )?;
    for heading in ["weight", "before", "after", "change"] {
        write!(page, "<th scope=\"col\" class=\"number\">{heading}</th>")?;
    }
    page.write_str("</tr></thead><tbody>\n")?;
    for [name, numbers @ ..] in &rows {
        write!(page, "<tr><td>{}</td>", Xml(name))?;
        for number in numbers {
            write!(page, "<td class=\"number\">{}</td>", Xml(number))?;
        }
        page.write_str("</tr>\n")?;
    }
    page.write_str("</tbody></table>\n</div>\n</details>\n</section>\n")
}

/// One side's half of what the program in the page is asked, as vector files have it.
fn request(side: &Side<'_>, choice: &Choice<'_>) -> String {
    let mut text = format!("# scheme: {}\n", choice.name);
    for (option, value) in &choice.options {
        text += &format!("# option: {option}={value}\n");
    }
    for server in side.servers() {
        let weight = match server.weight {
            Weight::Whole(weight) => weight.to_string(),
            // A point makes it real again.
            Weight::Real(weight) if weight.fract() == 0.0 => format!("{weight}.0"),
            Weight::Real(weight) => weight.to_string(),
        };
        text += &format!("# server: {} {weight}\n", server.name);
    }
    text + "---\n"
}

/// The names of one side and their colours.
fn side(side: &Side<'_>, change: &Change<'_>) -> Value {
    let colours = picture::colours(change);
    let names: Vec<_> = side.servers().iter().map(|server| server.name).collect();
    let colours: Vec<_> = indexes(side.placed).map(|server| colours.of(side, server).to_string()).collect();
    json!({ "names": names, "colours": colours })
}

/// Most servers whose table is open at first.
const MOST_OPEN: usize = 40;
