// The page as a person uses it: upload, results, part of a picture, threshold, combining, viewer,
// map, duplicates, keys, a narrow screen, hostile file names, and what axe-core says. TAP on
// standard output; run by page.sh.
import { browser, command, serve, temporary } from "./webdriver.mjs";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const W = temporary(),
	B = process.env.B,
	pics = join(W, "pics"),
	db = join(W, "a.db");
Object.assign(process.env, {
	IMGSEARCH_LIBDIR: join(B, "tests/lib"),
	HOME: W,
	XDG_CACHE_HOME: join(W, "cache"),
	XDG_RUNTIME_DIR: W,
	XDG_CONFIG_HOME: W,
});
let n = 0,
	failed = 0;

function check(name, ok, why = "") {
	console.log(`${ok ? "ok" : "not ok"} ${++n} - ${name}`);
	if (!ok) {
		failed++;
		console.log("# " + JSON.stringify(why).slice(0, 600));
	}
}

const hostile = `<img src=x onerror=document.title='taken'> "'&${"long".repeat(40)}.jpg`;
execFileSync(join(B, "tools/draw"), [pics, "3"]);
copyFileSync(join(pics, "city-01.jpg"), join(pics, hostile));
mkdirSync(join(W, "outside"));
writeFileSync(
	join(W, "outside/new.jpg"),
	Buffer.concat([readFileSync(join(pics, "sunset-01.jpg")), Buffer.from([0])]),
);
writeFileSync(join(W, "outside/bad.jpg"), "this is no picture");
const index = (file, what) =>
	execFileSync(join(B, "imgsearch"), ["index", "-q", "--db", file, what]);
index(db, pics);
index(join(W, "one.db"), join(pics, "city-01.jpg"));
const server = await serve(db),
	{ url } = server;
let b;
try {
	b = await browser({ width: 1280, height: 900 });
} catch (e) {
	console.log(`1..0 # SKIP Chromium does not start: ${e.message}`);
	process.exit(0);
}
const settled = () =>
	b.until(
		"an answer",
		`const answers = document.querySelectorAll('#results .card, #notice:not([hidden])');
		return !document.body.classList.contains('busy') && answers.length > 0`,
	);
const results = () => b.count("#results .card");
const address = () => b.run("return location.search");
const axePath = process.env.AXE_CORE || "node_modules/axe-core/axe.min.js";
const axe = existsSync(axePath) ? readFileSync(axePath, "utf8") : null;

async function accessible(what) {
	if (!axe) return console.log(`ok ${++n} - accessible: ${what} # SKIP axe-core is missing`);
	await b.run(axe + "; window.axe = axe;");
	for (const dark of [true, false]) {
		await b.dark(dark);
		await b.until(
			"colours that have faded",
			"return document.getAnimations().every(a => a.playState !== 'running')",
		);
		const bad = await b.later(
			`const done = arguments[arguments.length - 1];
			const where = v => v.nodes.slice(0, 2).map(n => n.html + ' ' + n.failureSummary);
			axe.run().then(r => done(r.violations.map(v => [v.id, where(v)])))`,
		);
		check(`accessible: ${what}, ${dark ? "dark" : "light"}`, bad.length === 0, bad);
	}
}

// The start page.
await b.go(url);
await b.until("samples", "return document.querySelectorAll('#samples .card').length");
check("the page starts with pictures to begin with", (await b.count("#samples .card")) > 10);
const about = await b.text("#about");
check("... and says how many there are", /24 pictures/.test(about), about);
await accessible("start");

// Upload.
await b.type("#file", join(W, "outside/new.jpg"));
await settled();
check(
	"upload finds its like first",
	(await b.text("#results .card:first-child b")) === "sunset-01.jpg",
	await b.text("#results"),
);
check("the address holds the search", /q=u[0-9a-f]{32}/.test(await address()), await address());
await b.go(url + (await address()));
await settled();
check(
	"... and can be opened again",
	(await b.text("#results .card:first-child b")) === "sunset-01.jpg",
);
await accessible("results");

// A part.
const whole = await b.text("#results .card:nth-child(1) .name span");
await b.until("the stage", "return document.querySelector('#stage-picture').complete");
await b.drag("#stage", [0.1, 0.1], [0.6, 0.7]);
await b.until("a part in the address", "return location.search.includes('~')");
await settled();
check(
	"a box dragged searches with that part",
	(await b.text("#results .card:nth-child(1) .name span")) !== whole &&
		(await b.count("#box:not([hidden])")) === 1,
	[whole, await address()],
);
await b.click("#whole");
await b.until("the whole", "return !location.search.includes('~')");
await settled();
await b.click("#part");
await b.keys("\uE014", "\uE007");
await b.until("a part by keys", "return location.search.includes('~')");
check("... also by keys", true);
await settled();

// Threshold and number.
const set = (css, value, ...events) =>
	b.run(
		`const [css, value, events] = arguments;
		const input = document.querySelector(css);
		input.value = value;
		for (const e of events) input.dispatchEvent(new Event(e));`,
		css,
		value,
		events,
	);
await set("#min", 0.99, "input");
check(
	"nothing above the threshold is said honestly",
	(await results()) === 0 && /No close match/.test(await b.text("#notice")),
	await b.text("#notice"),
);
await set("#min", 0, "input");
check("... and taken back", (await results()) > 10);
await set("#k", 0, "input", "change");
await b.until("eight", "return document.querySelectorAll('#results .card').length === 8");
check("how many", /k=8/.test(await address()));

// From a result, combined, pushed away.
await b.click("#results .card:nth-child(2) .picture");
await b.until("a search by id", "return /q=id\\d+/.test(location.search)");
await settled();
await b.click("#results .card:nth-child(3) [title='Add to the search']");
await b.until("two terms", "return document.querySelectorAll('.term').length === 2");
await settled();
await b.click("#results .card:nth-child(5) [title='Push away from it']");
await b.until("three terms", "return document.querySelectorAll('.term').length === 3");
await settled();
check(
	"combine and push away",
	(await b.count(".term.away")) === 1 && /,-id/.test(await address()),
	await address(),
);
await b.click(".term:nth-child(2) .drop-it");
await b.until("two again", "return document.querySelectorAll('.term').length === 2");
await b.run("history.back()");
await b.until("back", "return document.querySelectorAll('.term').length === 3");
check("back goes back", true);

// The viewer.
await settled();
await b.click("#results .card:nth-child(1) [title='Open']");
await b.until(
	"the viewer",
	`const i = document.querySelector('#viewer-picture');
	return document.querySelector('#viewer').open && i.complete && i.naturalWidth
		&& document.querySelector('#viewer-path').textContent`,
);
check(
	"the original opens full size",
	await b.run("return document.querySelector('#viewer-picture').naturalWidth >= 200"),
);
await accessible("viewer");
const first = await b.text("#viewer-path");
await b.keys("\uE014");
await b.until(
	"the next one",
	`const path = document.querySelector('#viewer-path').textContent;
	return path && path !== arguments[0]`,
	first,
);
await b.keys("\uE00C");
check(
	"keys step and close",
	await b.until("closed", "return !document.querySelector('#viewer').open"),
);

// Keyboard alone.
await b.run("document.querySelector('#results .picture').focus()");
await b.keys("\uE014");
check(
	"arrow keys go along the results",
	await b.run(
		"return document.activeElement === document.querySelectorAll('#results .picture')[1]",
	),
);
await b.keys("\uE007");
await b.until(
	"a search by Enter",
	`return document.querySelectorAll('.term').length === 0
		|| document.querySelector('#terms').hidden`,
);
check("Enter searches from it", /q=id\d+(&|$)/.test(await address()), await address());

// A bad upload.
await b.type("#file", join(W, "outside/bad.jpg"));
await b.until("a complaint", "return !document.querySelector('#toast').hidden");
check(
	"no picture is said so",
	/not a picture/.test(await b.text("#toast")),
	await b.text("#toast"),
);

// Map.
await b.click("[data-tab=map]");
await b.until("the map", "return document.querySelectorAll('#legend li').length");
const painted = `
	const c = document.querySelector('#plane');
	const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
	let n = 0;
	for (let i = 3; i < d.length; i += 4) n += d[i] > 0;
	return n > 200`;
const plane = "return document.querySelector('#plane').toDataURL()";
check("the map is drawn", await b.until("points", painted));
await b.run("document.querySelector('#plane').focus()");
const unzoomed = await b.run(plane);
await b.keys("+", "+");
await b.until(
	"another drawing",
	"return document.querySelector('#plane').toDataURL() !== arguments[0]",
	unzoomed,
);
check("... and zoomed by keys", await b.until("pictures", painted));
await accessible("map");

// Duplicates.
await b.click("[data-tab=groups]");
await b.until("groups", "return document.querySelectorAll('.group').length");
check(
	"near-duplicates by kind",
	/Same bytes \(1\)/.test(await b.text("#kinds")),
	await b.text("#kinds"),
);
check(
	"a hostile file name is only text",
	(
		await b.run("return [...document.querySelectorAll('.twin b')].map(e => e.textContent)")
	).includes(hostile) && (await b.run("return document.title")) === "imgsearch",
);
await accessible("duplicates");

// A narrow screen.
await b.size(360, 740, 2);
await b.go(`${url}/?q=id1`);
await settled();
check(
	"nothing is wider than a phone",
	await b.run("return document.documentElement.scrollWidth <= 360"),
	await b.run("return document.documentElement.scrollWidth"),
);
await b.run(
	"document.querySelector('.card:has([aria-label*=long])').style.setProperty('--ratio', 3)",
);
check(
	"... not even a panorama with a long name",
	await b.run("return document.documentElement.scrollWidth <= 360"),
	await b.run("return document.documentElement.scrollWidth"),
);
check(
	"... and targets are large enough",
	await b.run(
		`return [...document.querySelectorAll('button, a')]
			.filter(e => e.offsetParent && !e.classList.contains('skip'))
			.every(e => e.getBoundingClientRect().height >= 24)`,
	),
);
await accessible("phone");
await b.run(
	`document.querySelector('.card [aria-label*=long]')
		.dispatchEvent(new KeyboardEvent('keydown', { key: 'o' }))`,
);
await b.until(
	"the viewer",
	`return document.querySelector('#viewer').open
		&& document.querySelector('#viewer-path').textContent`,
);
check(
	"... nor a long name in the viewer",
	await b.run(
		`const v = document.querySelector('#viewer');
		return v.scrollWidth <= v.clientWidth
			&& document.querySelector('#viewer-title').textContent.length > 100`,
	),
);
await b.go(`${url}/?q=id99999`);
await b.until("an error", "return !document.querySelector('#notice').hidden");
await b.until("no picture", "return document.querySelector('#stage').hidden");
check(
	"a picture that is gone is said, and leaves no empty frame",
	/is not in index/.test(await b.text("#notice")),
	await b.text("#notice"),
);

// One picture alone.
const few = await serve(join(W, "one.db"));
await b.size(1000, 800);
await b.go(`${few.url}/?tab=map`);
await b.until("the map", "return document.querySelectorAll('#legend li').length");
check(
	"a map of one picture has it in the middle",
	await b.until(
		"a point",
		`const c = document.querySelector('#plane');
		const middle = [c.width / 2 - 20, c.height / 2 - 20, 40, 40];
		const d = c.getContext('2d').getImageData(...middle).data;
		return d.some((v, i) => i % 4 === 3 && v)`,
	),
);
await few.stop();

// A picture that is kept, whose bytes lie in the index.
const keeping = await serve(join(W, "one.db"), "--uploads", ":index:");
await b.go(keeping.url);
await b.type("#file", join(W, "outside/new.jpg"));
await settled();
await b.click("#keep");
await b.until("a search by id", "return /q=id\\d+/.test(location.search)");
await settled();
const kept = await b.text("#results .card:nth-child(1) b");
check(
	"a picture that is kept has the name of its file",
	/^new-[0-9a-f]{16}\.jpg$/.test(kept),
	kept,
);
await b.click("#results .card:nth-child(1) [title='Open']");
check(
	"... and is shown full size",
	await b.until(
		"the viewer",
		`const i = document.querySelector('#viewer-picture');
		return i.complete && i.naturalWidth >= 200
			&& document.querySelector('#viewer-path').textContent.startsWith('uploads/new-')`,
	),
);

// Removed, and asked back.
const removed = () => b.text("#removed-list");
await b.click("#viewer-remove");
await b.click("#home");
await b.until("the list", "return document.querySelector('#removed:not([hidden])')");
await b.run("document.querySelector('#removed').open = true");
check("what is removed is listed", /^new-/.test(await removed()), await removed());
await accessible("removed");
await b.run("document.querySelector('#removed-list button').click()"); // a toast may lie over it
await b.until("no list", "return document.querySelector('#removed[hidden]')");
check("... and can be taken in again", true);
await keeping.stop();

// Words: a field where the model takes them.
await b.go(url);
await b.until("samples", "return document.querySelectorAll('#samples .card').length");
check("a model without words has no field", (await b.count("[data-words]:not([hidden])")) === 0);
execFileSync("python3", ["tests/tools/speaking.py", join(W, "model")]);
execFileSync(join(B, "imgsearch"), [
	...["index", "-q", "--db", join(W, "words.db")],
	...["--weights", join(W, "model/speaking.safetensors"), join(W, "model/pictures")],
]);
const speaking = await serve(join(W, "words.db"));
const best = () => b.text("#results .card:first-child b");
await b.go(speaking.url);
await b.until("a field", "return document.querySelector('[data-words=new]:not([hidden])')");
await b.type("[data-words=new] input", "a red, 100% new car");
await b.click("[data-words=new] button");
await settled();
check("words find a picture", (await best()) === "red.png", await best());
check("... are shown", (await b.text("#terms")).includes("a red, 100% new car"));
check("... without a stage", (await b.count("#stage:not([hidden])")) === 0);
await b.go(speaking.url + (await address()));
await settled();
check("... and are in the address", (await best()) === "red.png", await address());
await accessible("words");
await b.type("[data-words=add] input", "white");
await b.click("[data-words=add] button");
await b.until("two terms", "return document.querySelectorAll('#terms .term').length === 2");
await settled();
await b.click("#terms .term:first-child .turn");
await b.until("a term pushed away", "return document.querySelector('#terms .term.away')");
await settled();
check("words are added, and pushed away", (await best()) === "white.png", await best());
await b.click("#results .card:nth-child(3) .picture");
await b.until("a picture on the stage", "return /q=id/.test(location.search)");
await settled();
check("a picture is searched from, then", (await b.count("#stage:not([hidden])")) === 1);
await speaking.stop();

// The page that `imgsearch map` writes, from a file.
execFileSync(join(B, "imgsearch"), ["map", "-q", "--db", db, "-o", join(W, "map.html")]);
await b.go(`file://${W}/map.html`);
check("the page of a map is drawn", await b.until("points", painted));
check("... and has a legend", (await b.count("#legend button")) > 0);

const log = (await b.log()).filter(
	l => l.level === "SEVERE" && !/ 415 | 404 /.test(l.message) && !/status of 4/.test(l.message),
);
check(
	"no error in the browser's log",
	log.length === 0,
	log.map(l => l.message),
);
await b.close();
await server.stop();
console.log(`1..${n}`);
process.exit(failed ? 1 : 0);
