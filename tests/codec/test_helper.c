/*
 * Decoding in helper processes: the same bytes as in this process; helpers that are killed, crash,
 * hang, answer nonsense or cannot be started. This program is its own helper: what one does wrong,
 * the environment says, and a counter that all of them share. Skips what needs libwebp without it.
 */
#include "codec/helper.h"

#include "codec/sandbox.h"
#include "codec/serve.h"
#include "codec/wire.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const seeds[] = {
	"webp/lossy-RGB.webp",
	"webp/lossy-RGBA.webp",
	"webp/lossless-RGB.webp",
	"webp/lossless-RGBA.webp",
	"webp/turned.webp",
	"webp/animated.webp",
	"heif/rgb.heic",
	"heif/rgba.heic",
	"heif/grey10.heic",
	"heif/exif6.heic",
	"heif/rgb.avif",
	"heif/rgba.avif",
	"heif/grey10.avif",
	"jxl/lossy-RGB.jxl",
	"jxl/lossy-RGBA.jxl",
	"jxl/lossless-L.jxl",
	"jxl/jpeg.jxl",
	"tiff/RGB.tif",
	"tiff/RGBA.tif",
	"tiff/CMYK.tif",
	"tiff/P.tif",
	"tiff/jpeg.tif",
	"tiff/sixteen.tif",
};
enum { SEEDS = sizeof seeds / sizeof seeds[0] };

/* What a library leaks of a file that is cut off is not ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libheif.so\nleak:libdav1d.so\nleak:libde265.so\nleak:libaom.so\nleak:libjxl.so\n"
		   "leak:libtiff.so\nleak:libwebp.so\n";
}

/* ---------------------------------------------------------------------- helpers gone wrong ---- */

/* Takes one of the number of misdeeds that are left; false: none is. */
static bool take_misdeed(void)
{
	const char *name = getenv("TEST_COUNTER");
	int fd = name ? open(name, O_RDWR) : -1;
	atomic_int *left = fd < 0 ? MAP_FAILED
							  : mmap(NULL, sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return left == MAP_FAILED || atomic_fetch_sub(left, 1) > 0;
}

static void say(const void *data, size_t n)
{
	if (write(STDIN_FILENO, data, n) != (ssize_t)n)
		_exit(1);
}

static void hello(image_format f, wire_state state, uint32_t missing)
{
	say(&(wire_hello){ WIRE_MAGIC, WIRE_VERSION, state, f, missing }, sizeof(wire_hello));
}

/* Receives a request and throws its bytes away. */
static void take_request(wire_request *r)
{
	static char waste[1 << 16];
	if (read(STDIN_FILENO, r, sizeof *r) != sizeof *r)
		_exit(0);
	for (uint64_t left = r->size; left;) {
		ssize_t got = read(STDIN_FILENO, waste, left < sizeof waste ? left : sizeof waste);
		if (got <= 0)
			_exit(0);
		left -= (uint64_t)got;
	}
}

/* Answers whose numbers cannot be true; `which` of them. */
static void answer_nonsense(int which)
{
	wire_request r;
	wire_answer head = { .magic = WIRE_MAGIC, .width = 20, .height = 12, .orientation = 1 };
	for (;;) {
		take_request(&r);
		wire_answer a = head;
		if (r.action == WIRE_DECODE || which >= 10)
			switch (which) {
			case 0:
				a.pixels = 719;
				break;
			case 1:
				a.width = 21, a.pixels = 756;
				break;
			case 2:
				a.height = 13, a.pixels = 780;
				break;
			case 3:
				a.height = 0;
				break;
			case 4:
				a.height = 11, a.pixels = 660;
				break;
			case 5:
				a.height = 11, a.pixels = 660, a.partial = 1;
				break;
			case 6:
				a.pixels = UINT64_MAX;
				break;
			case 7:
				a.rc = 5;
				break;
			case 8:
				a.unconverted = 2, a.pixels = 720;
				break;
			case 10:
				a.magic = 7;
				break;
			case 11:
				a.orientation = 9;
				break;
			case 12:
				a.orientation = 0;
				break;
			case 13:
				a.traits = 0x100;
				break;
			case 14:
				a.width = 0;
				break;
			case 15:
				a.pixels = 720;
				break;
			case 17:
				a.exif = 1;
				break;
			case 18:
				a.xmp = 1;
				break;
			case 16:
				a.rc = IMGSEARCH_EFORMAT, memset(a.message, 7, sizeof a.message);
				break;
			default:
				break;
			}
		say(&a, sizeof a);
	}
}

/* The state of a process in /proc, such as 'S' for one that waits; 0: it is gone. */
static char state_of(pid_t pid)
{
	char path[64], state = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");
	if (f && fscanf(f, "%*d %*[^)]) %c", &state) != 1)
		state = 0;
	if (f)
		fclose(f);
	return state;
}

/* Stops the process that asks for longer than a picture may take, then answers with its head. */
static void stop_host(const wire_request *r)
{
	pid_t host = getppid();
	kill(host, SIGSTOP);
	while (state_of(host) != 'T') {}
	for (double end = ims_now() + r->seconds + 0.1; ims_now() < end;) {}
	kill(host, SIGCONT);
	while (state_of(host) != 'S') {} /* it waits again */
	wire_answer a = { .magic = WIRE_MAGIC, .rc = IMGSEARCH_EFORMAT, .orientation = 1 };
	strcpy(a.message, "answered");
	say(&a, sizeof a);
}

/* What TEST_HELPER names, as long as misdeeds are left; then it returns. */
static void misbehave(int argc, char **argv)
{
	const char *what = getenv("TEST_HELPER");
	wire_request r;
	image_format f = (image_format)(argc > 2 ? atoi(argv[2]) : 0);
	if (!what || argc < 2 || strcmp(argv[1], WIRE_WORD) || !take_misdeed())
		return;
	if (!strcmp(what, "silent"))
		_exit(0);
	if (!strcmp(what, "start"))
		raise(SIGKILL);
	if (!strcmp(what, "stranger"))
		say("#!/bin/sh\necho hello\n", 22);
	if (!strncmp(what, "missing", 7))
		hello(f, WIRE_MISSING, (uint32_t)atoi(what + 7));
	if (!strcmp(what, "silent") || !strcmp(what, "stranger") || !strncmp(what, "missing", 7))
		_exit(0);
	hello(f, WIRE_READY, 0);
	if (!strncmp(what, "nonsense", 8))
		answer_nonsense(atoi(what + 8));
	take_request(&r);
	if (!strcmp(what, "blocks"))
		say(&(wire_answer){ .magic = WIRE_MAGIC, .orientation = 1, .exif = IMAGE_MAX_BLOCK + 1 },
			sizeof(wire_answer));
	if (!strcmp(what, "hang"))
		for (;;)
			pause();
	if (!strcmp(what, "stop host"))
		stop_host(&r);
	signal(atoi(what), SIG_DFL); /* a sanitizer may have taken it */
	raise(atoi(what));
	_exit(0);
}

/* ----------------------------------------------------------------------------------- tests ---- */

static buf seed(const char *name)
{
	char path[200];
	buf file = { 0 };
	snprintf(path, sizeof path, "tests/fuzz/seeds/%s", name);
	assert_int_equal(ims_read_file(&file, path, 1 << 20, NULL), 0);
	return file;
}

static char counter_file[] = "/tmp/imgsearch-helper-XXXXXX";

/* `counter` misdeeds of that kind are done by the helpers that start from now on. */
static void set_misdeeds(const char *what, int counter)
{
	static int fd = -1;
	if (fd < 0)
		fd = mkstemp(counter_file);
	assert_int_equal(pwrite(fd, &counter, sizeof counter, 0), (ssize_t)sizeof counter);
	if (what) {
		setenv("TEST_HELPER", what, 1);
		setenv("TEST_COUNTER", counter_file, 1);
	} else {
		unsetenv("TEST_HELPER");
	}
}

static helpers *new_helpers(const char *program, unsigned seconds)
{
	const helper_options o = {
		.program = program,
		.memory = 1 << 28,
		.keep = 2,
		.seconds = seconds,
	};
	helpers *h = ims_helpers_new(&o);
	assert_non_null(h);
	return h;
}

static int decode_by(image_codecs *codecs, const buf *file, bool partial, image *im,
	image_head *head, imgsearch_error *err)
{
	const image_limits limits = { .codecs = codecs, .partial = partial, .also = UINT32_MAX };
	return ims_image_decode(im, head, file->data, file->len, &limits, NULL, err);
}

static void need_libwebp(void)
{
	if (ims_codec_local()->check(ims_codec_local(), IMAGE_WEBP, NULL)) {
		print_message("# libwebp is missing\n");
		skip();
	}
}

/* Whether the library of a file is; says so. */
static bool is_missing(const buf *file)
{
	imgsearch_error why;
	image_format f = ims_image_sniff(file->data, file->len);
	bool missing = ims_codec_local()->check(ims_codec_local(), f, &why);
	if (missing)
		print_message("# %s\n", why.message);
	return missing;
}

static void compare(helpers *h, const buf *file, bool partial)
{
	image a = { 0 }, b = { 0 };
	image_head head_a = { 0 }, head_b = { 0 };
	imgsearch_error err_a = { 0 }, err_b = { 0 };
	int rc = decode_by(ims_codec_local(), file, partial, &a, &head_a, &err_a);
	assert_int_equal(decode_by(ims_helpers_codecs(h), file, partial, &b, &head_b, &err_b), rc);
	assert_string_equal(err_a.message, err_b.message);
	assert_int_equal(head_a.width, head_b.width);
	assert_int_equal(head_a.height, head_b.height);
	assert_int_equal(head_a.orientation, head_b.orientation);
	assert_int_equal(head_a.traits, head_b.traits);
	assert_int_equal(a.width, b.width);
	assert_int_equal(a.height, b.height);
	assert_int_equal(a.partial, b.partial);
	if (!rc)
		assert_memory_equal(a.pixels, b.pixels, (size_t)a.width * a.height * 3);
	ims_image_free(&a);
	ims_image_free(&b);
}

static void pixels_are_those_of_this_process(void **state)
{
	(void)state;
	helpers *h = new_helpers("/proc/self/exe", 0);
	for (int i = 0; i < SEEDS; i++) {
		buf file = seed(seeds[i]);
		size_t whole = is_missing(&file) ? 0 : file.len;
		for (int cut = 0; whole && cut < 10; cut++) {
			file.len = whole - whole * (size_t)cut / 10;
			compare(h, &file, cut % 2);
		}
		ims_buf_free(&file);
	}
	ims_helpers_free(h);
}

static void compare_blocks(const image_blocks *a, const image_blocks *b)
{
	assert_int_equal(a->exif.len, b->exif.len);
	assert_int_equal(a->xmp.len, b->xmp.len);
	if (a->exif.len)
		assert_memory_equal(a->exif.data, b->exif.data, a->exif.len);
	if (a->xmp.len)
		assert_memory_equal(a->xmp.data, b->xmp.data, a->xmp.len);
}

static void blocks_are_those_of_this_process(void **state)
{
	(void)state;
	helpers *h = new_helpers("/proc/self/exe", 0);
	for (int i = 0; i < SEEDS; i++) {
		image_blocks a, b;
		buf file = seed(seeds[i]);
		if (is_missing(&file)) {
			ims_buf_free(&file);
			continue;
		}
		const image_limits here = { .codecs = ims_codec_local() };
		const image_limits there = { .codecs = ims_helpers_codecs(h) };
		assert_int_equal(ims_image_blocks(&a, file.data, file.len, &here, NULL), 0);
		assert_int_equal(ims_image_blocks(&b, file.data, file.len, &there, NULL), 0);
		compare_blocks(&a, &b);
		if (strstr(seeds[i], "turned") || strstr(seeds[i], "exif6") || strstr(seeds[i], "jpeg.jxl"))
			assert_memory_equal(a.exif.data, "II*", 4);
		ims_image_blocks_free(&a);
		ims_image_blocks_free(&b);
		ims_buf_free(&file);
	}
	ims_helpers_free(h);
}

/* Exif of HEIC that begins with its TIFF header, as some writers have it. */
static void exif_without_offset(void **state)
{
	(void)state;
	buf file = seed("heif/exif6.heic");
	image_blocks b;
	const image_limits limits = { .codecs = ims_codec_local() };
	if (is_missing(&file))
		skip();
	uint8_t *tiff = memmem(file.data, file.len, "II*", 4);
	assert_non_null(tiff);
	memmove(tiff - 4, tiff, (size_t)(file.data + file.len - tiff));
	assert_int_equal(ims_image_blocks(&b, file.data, file.len, &limits, NULL), 0);
	assert_memory_equal(b.exif.data, "II*", 4);
	ims_image_blocks_free(&b);
	ims_buf_free(&file);
}

/* Blocks that a codec announces and that are too long, and those of a helper that dies. */
static void blocks_are_bounded(void **state)
{
	(void)state;
	buf file = seed("webp/turned.webp");
	static const char *const ends[] = { "blocks", "11" };
	for (int i = 0; i < 2; i++) {
		image_blocks b;
		helpers *h = new_helpers("/proc/self/exe", 0);
		const image_limits limits = { .codecs = ims_helpers_codecs(h) };
		set_misdeeds(ends[i], 1000);
		assert_int_equal(ims_image_blocks(&b, file.data, file.len, &limits, NULL),
			IMGSEARCH_EFORMAT);
		assert_int_equal(b.exif.len + b.xmp.len, 0);
		set_misdeeds(NULL, 0);
		ims_helpers_free(h);
	}
	ims_buf_free(&file);
}

static int children(void)
{
	int n = 0;
	char path[64];
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(path, "r");
	for (int pid; f && fscanf(f, "%d", &pid) == 1;)
		n++;
	if (f)
		fclose(f);
	return n;
}

static void a_helper_serves_many_and_ends(void **state)
{
	(void)state;
	need_libwebp();
	helpers *h = new_helpers("/proc/self/exe", 0);
	buf file = seed("webp/lossless-RGB.webp");
	for (int i = 0; i < 450; i++) { /* more than two lives */
		image im;
		assert_int_equal(decode_by(ims_helpers_codecs(h), &file, false, &im, NULL, NULL), 0);
		ims_image_free(&im);
		assert_true(children() <= 1);
	}
	ims_helpers_free(h);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	ims_buf_free(&file);
}

static void a_killed_helper_costs_no_picture(void **state)
{
	(void)state;
	need_libwebp();
	buf file = seed("webp/lossy-RGB.webp");
	static const int signals[] = { SIGKILL, SIGTERM, SIGHUP };
	for (int s = 0; s < 3; s++) {
		char what[16];
		snprintf(what, sizeof what, "%d", signals[s]);
		helpers *h = new_helpers("/proc/self/exe", 0);
		for (int i = 0; i < 40; i++) {
			image im;
			imgsearch_error err = { 0 };
			set_misdeeds(what, i % 7);
			if (decode_by(ims_helpers_codecs(h), &file, false, &im, NULL, &err))
				fail_msg("signal %d, picture %d: %s", signals[s], i, err.message);
			ims_image_free(&im);
			ims_helpers_free(h); /* the next one starts a helper */
			h = new_helpers("/proc/self/exe", 0);
		}
		ims_helpers_free(h);
	}
	set_misdeeds(NULL, 0);
	ims_buf_free(&file);
}

/* ----------------------------------------------------------------- signals from outside ---- */

enum { SIGNALS = 200, WORKERS = 4 };

typedef struct disturbed {
	helpers *h;
	buf files[SEEDS];
	image expected[SEEDS]; /* without pixels: its library is missing */
	atomic_int next, sent;
	atomic_bool over;
} disturbed;

/* Sends a signal to a child of this process; false: pid is none any more. */
static bool send_to_child(pid_t pid, int signal)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), parent = 0;
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fd < 0 ? NULL : fopen(path, "r");
	bool ours = f && fscanf(f, "%*d %*[^)]) %*c %d", &parent) == 1 && parent == getpid();
	bool sent = ours && !syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
	if (f)
		fclose(f);
	if (fd >= 0)
		close(fd);
	return sent;
}

/* The children of all threads, as far as there is room. */
static int children_of_threads(pid_t *to, int room)
{
	int n = 0;
	char path[300];
	DIR *threads = opendir("/proc/self/task");
	for (const struct dirent *e; threads && (e = readdir(threads));) {
		snprintf(path, sizeof path, "/proc/self/task/%s/children", e->d_name);
		FILE *f = *e->d_name == '.' ? NULL : fopen(path, "r");
		while (f && n < room && fscanf(f, "%d", &to[n]) == 1)
			n++;
		if (f)
			fclose(f);
	}
	if (threads)
		closedir(threads);
	return n;
}

/* Kills or stops one helper after another, one for each picture that begins. */
static void *disturb(void *arg)
{
	disturbed *d = arg;
	int seen = 0;
	for (uint32_t chance = 1; !d->over && d->sent < SIGNALS;) {
		pid_t pids[64];
		int n = children_of_threads(pids, 64);
		chance = chance * 1664525 + 1013904223;
		if (!n || d->next == seen) {
			sched_yield();
			continue;
		}
		seen = d->next;
		d->sent += send_to_child(pids[(chance >> 16) % (unsigned)n],
			d->sent % 4 ? SIGKILL : SIGSTOP);
	}
	return NULL;
}

/* Decodes until all signals are sent. Returns the error of a picture that was lost. */
static void *decode_disturbed(void *arg)
{
	disturbed *d = arg;
	while (d->sent < SIGNALS) {
		imgsearch_error err = { 0 };
		int i = atomic_fetch_add(&d->next, 1) % SEEDS;
		const image *e = &d->expected[i];
		image im = { 0 };
		if (!e->pixels)
			continue;
		int rc = decode_by(ims_helpers_codecs(d->h), &d->files[i], false, &im, NULL, &err);
		bool same = !rc && im.width == e->width && im.height == e->height
			&& !memcmp(im.pixels, e->pixels, (size_t)im.width * im.height * 3);
		ims_image_free(&im);
		if (!same)
			return ims_format("%s: %s", seeds[i], rc ? err.message : "other pixels");
	}
	return NULL;
}

static void signals_from_outside_cost_no_picture(void **state)
{
	(void)state;
	pthread_t killer, workers[WORKERS];
	disturbed d = { .h = new_helpers("/proc/self/exe", 0) };
	need_libwebp();
	if (access("/proc/thread-self/children", R_OK)) {
		print_message("# the kernel does not list children\n");
		skip();
	}
	for (int i = 0; i < SEEDS; i++) {
		d.files[i] = seed(seeds[i]);
		if (!is_missing(&d.files[i]))
			decode_by(ims_codec_local(), &d.files[i], false, &d.expected[i], NULL, NULL);
	}
	pthread_create(&killer, NULL, disturb, &d);
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&workers[i], NULL, decode_disturbed, &d);
	char *lost = NULL;
	for (int i = 0; i < WORKERS; i++) {
		void *why = NULL;
		pthread_join(workers[i], &why);
		lost = why ? why : lost;
	}
	d.over = true;
	pthread_join(killer, NULL);
	if (lost)
		fail_msg("%s", lost);
	assert_int_equal(d.sent, SIGNALS);
	ims_helpers_free(d.h);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	for (int i = 0; i < SEEDS; i++) {
		ims_image_free(&d.expected[i]);
		ims_buf_free(&d.files[i]);
	}
}

/* Every start of a helper is disturbed, the eighth one not. */
static void a_helper_killed_at_its_start_is_started_again(void **state)
{
	(void)state;
	need_libwebp();
	helpers *h = new_helpers("/proc/self/exe", 0);
	buf file = seed("webp/lossy-RGB.webp");
	image im;
	imgsearch_error err = { 0 };
	set_misdeeds("start", 7);
	if (decode_by(ims_helpers_codecs(h), &file, false, &im, NULL, &err))
		fail_msg("%s", err.message);
	ims_image_free(&im);
	set_misdeeds(NULL, 0);
	ims_helpers_free(h);
	ims_buf_free(&file);
}

/* Ctrl-Z for longer than a picture may take: this process and the helper go on behind it. */
static void a_host_may_be_stopped(void **state)
{
	(void)state;
	int status;
	buf file = seed("webp/lossy-RGB.webp");
	set_misdeeds("stop host", 1);
	pid_t host = fork();
	if (!host) {
		image im;
		imgsearch_error err = { 0 };
		helpers *h = new_helpers("/proc/self/exe", 1);
		decode_by(ims_helpers_codecs(h), &file, false, &im, NULL, &err);
		_exit(strcmp(err.message, "answered") ? 1 : 0);
	}
	assert_int_equal(waitpid(host, &status, 0), host);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	set_misdeeds(NULL, 0);
	ims_buf_free(&file);
}

/* What the misdeed of every helper makes of a picture. */
static int fails_with(const char *what, unsigned seconds, imgsearch_error *err)
{
	image im;
	buf file = seed("webp/lossy-RGB.webp");
	helpers *h = new_helpers("/proc/self/exe", seconds);
	set_misdeeds(what, 1000);
	int rc = decode_by(ims_helpers_codecs(h), &file, false, &im, NULL, err);
	if (!rc)
		ims_image_free(&im);
	set_misdeeds(NULL, 0);
	ims_helpers_free(h);
	ims_buf_free(&file);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return rc;
}

static void what_goes_wrong_is_told_apart(void **state)
{
	static const struct {
		const char *what;
		unsigned seconds;
		int rc;
		const char *text;
	} cases[] = {
		{ "11", 0, IMGSEARCH_EFORMAT, "crashed (signal 11)" },
		{ "6", 0, IMGSEARCH_EFORMAT, "crashed (signal 6)" },
		{ "8", 0, IMGSEARCH_EFORMAT, "crashed (signal 8)" },
		{ "14", 0, IMGSEARCH_EFORMAT, "took longer" },
		{ "hang", 1, IMGSEARCH_EFORMAT, "took longer than 1 s" },
		{ "31", 0, IMGSEARCH_EUNSUPPORTED, "not allowed" }, /* SIGSYS */
		{ "9", 0, IMGSEARCH_EIO, "was ended 8 times" },
		{ "0", 0, IMGSEARCH_EIO, "was ended 8 times" },
		{ "19", 0, IMGSEARCH_EIO, "was ended 8 times" }, /* SIGSTOP */
		{ "start", 0, IMGSEARCH_EUNSUPPORTED, "cannot be started: it ended at once" },
		{ "silent", 0, IMGSEARCH_EUNSUPPORTED, "cannot be started: it ended at once" },
		{ "stranger", 0, IMGSEARCH_EUNSUPPORTED, "another program" },
		{ "missing1", 0, IMGSEARCH_EUNSUPPORTED, "libwebp7" },
		{ "missing0", 0, IMGSEARCH_EUNSUPPORTED, "cannot be started" },
		{ "missing2", 0, IMGSEARCH_EUNSUPPORTED, "cannot be started" }, /* it needs one thing */
		{ "missing99", 0, IMGSEARCH_EUNSUPPORTED, "cannot be started" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		imgsearch_error err = { 0 };
		int rc = fails_with(cases[i].what, cases[i].seconds, &err);
		if (rc != cases[i].rc || !strstr(err.message, cases[i].text))
			fail_msg("%s: %d %s", cases[i].what, rc, err.message);
	}
}

static void nonsense_is_not_believed(void **state)
{
	(void)state;
	for (int i = 0; i < 19; i++) {
		char what[32];
		imgsearch_error err = { 0 };
		if (i == 9)
			continue;
		snprintf(what, sizeof what, "nonsense%d", i);
		int rc = fails_with(what, 0, &err);
		if (rc != IMGSEARCH_EFORMAT || !err.message[0] || strchr(err.message, 7))
			fail_msg("%s: %d %s", what, rc, err.message);
	}
}

static void a_program_that_is_none_is_said_once(void **state)
{
	(void)state;
	image im;
	buf file = seed("webp/lossy-RGB.webp");
	static const char *const programs[] = { "/nowhere/imgsearch", "/dev/null", "/bin/true" };
	for (int i = 0; i < 3; i++) {
		helpers *h = new_helpers(programs[i], 0);
		for (int n = 0; n < 3; n++) {
			imgsearch_error err = { 0 };
			assert_int_equal(decode_by(ims_helpers_codecs(h), &file, false, &im, NULL, &err),
				IMGSEARCH_EUNSUPPORTED);
			assert_non_null(strstr(err.message, "the decoder of WebP cannot be started"));
		}
		assert_int_equal(ims_helpers_codecs(h)->check(ims_helpers_codecs(h), IMAGE_WEBP, NULL),
			IMGSEARCH_EUNSUPPORTED);
		ims_helpers_free(h);
	}
	ims_buf_free(&file);
}

/* What a process does that gave everything up: exits with 0, or is ended. */
static int end_of_locked(int what)
{
	int status;
	pid_t child = fork();
	if (!child) {
		ims_sandbox_limit(1 << 28);
		if (!ims_sandbox_lock())
			_exit(9);
		void *p = malloc(1 << 20);
		bool fine = p && memset(p, 1, 1 << 20);
		free(p);
		switch (what) {
		case 0:
			_exit(!fine);
		case 1:
			_exit(open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES);
		case 2:
			_exit(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
		case 3:
			_exit(fork() >= 0);
		case 4:
			execl("/bin/true", "true", NULL);
			_exit(0);
		case 5:
			_exit(kill(getppid(), 0) == 0);
		case 6:
			_exit(mmap(NULL, 4096, PROT_EXEC | PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
				!= MAP_FAILED);
		case 7:
			_exit(malloc((size_t)3 << 30) != NULL);
		default:
			_exit(1);
		}
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void a_locked_process_computes_and_no_more(void **state)
{
	static const int ends[] = { 0, 0, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS, 0 };
	(void)state;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	skip(); /* a sanitizer needs more than that */
#endif
	if (prctl(PR_GET_SECCOMP) < 0) {
		print_message("# the kernel has no seccomp\n");
		skip();
	}
	for (int what = 0; what < 8; what++)
		if (end_of_locked(what) != ends[what])
			fail_msg("%d ends with %d", what, end_of_locked(what));
}

/* A program that waits for any child takes the helper's end away. */
static void a_host_may_reap_the_helper(void **state)
{
	(void)state;
	need_libwebp();
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	buf file = seed("webp/lossy-RGB.webp");
	assert_int_equal(sigaction(SIGCHLD, &ignore, &old), 0); /* children leave no trace */
	helpers *h = new_helpers("/proc/self/exe", 0);
	set_misdeeds("9", 3);
	image im;
	assert_int_equal(decode_by(ims_helpers_codecs(h), &file, false, &im, NULL, NULL), 0);
	ims_image_free(&im);
	set_misdeeds(NULL, 0);
	ims_helpers_free(h);
	sigaction(SIGCHLD, &old, NULL);
	ims_buf_free(&file);
}

int main(int argc, char **argv)
{
	misbehave(argc, argv);
	int helper = ims_codec_serve(argc, argv);
	if (helper >= 0)
		return helper;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pixels_are_those_of_this_process),
		cmocka_unit_test(blocks_are_those_of_this_process),
		cmocka_unit_test(blocks_are_bounded),
		cmocka_unit_test(exif_without_offset),
		cmocka_unit_test(a_helper_serves_many_and_ends),
		cmocka_unit_test(a_killed_helper_costs_no_picture),
		cmocka_unit_test(signals_from_outside_cost_no_picture),
		cmocka_unit_test(a_helper_killed_at_its_start_is_started_again),
		cmocka_unit_test(a_host_may_be_stopped),
		cmocka_unit_test(what_goes_wrong_is_told_apart),
		cmocka_unit_test(nonsense_is_not_believed),
		cmocka_unit_test(a_program_that_is_none_is_said_once),
		cmocka_unit_test(a_locked_process_computes_and_no_more),
		cmocka_unit_test(a_host_may_reap_the_helper),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(counter_file);
	return failed;
}
