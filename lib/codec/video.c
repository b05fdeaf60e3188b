/*
 * Video by the program ffmpeg, where it is asked for: one frame that is not black. The file is
 * handed over in memory (memfd), so its name plays no part; ffmpeg is told its container, may open
 * files and pipes alone, and its memory and time are limited. It runs once for the header and once
 * for the pixels.
 *
 * The frame is the most typical one among the key frames that are not dark; else among the frames
 * of the first seconds that are not dark; else the first frame.
 */
#include "codec/codec.h"
#include "codec/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SECONDS = 120 };

/* Whether a folder of PATH has ffmpeg. 0: it has. */
static unsigned load(void)
{
	char full[4096];
	const char *at = getenv("PATH");
	while (at && *at) {
		int n = (int)strcspn(at, ":");
		snprintf(full, sizeof full, "%.*s/ffmpeg", n, at);
		if (n && access(full, X_OK) == 0)
			return 0;
		at += n + (at[n] == ':');
	}
	return 1;
}

/* ------------------------------------------------------------------------------- a process ---- */

typedef struct process {
	pid_t pid;
	int out; /* what it writes */
	bool gone, stopped;
	double left; /* seconds */
} process;

static const char *container_of(const uint8_t *data)
{
	if (!memcmp(data, "\x1A\x45\xDF\xA3", 4))
		return "matroska";
	return memcmp(data, "RIFF", 4) ? "mov" : "avi";
}

/* Whether `name` stands somewhere with `what` so many bytes behind its beginning. */
static bool has(const uint8_t *data, size_t size, const char *name, size_t behind, const char *what)
{
	const uint8_t *at = data, *end = data + size;
	size_t n = strlen(name), m = strlen(what);
	while ((at = memmem(at, (size_t)(end - at), name, n))) {
		if ((size_t)(end - at) >= behind + m && !memcmp(at + behind, what, m))
			return true;
		at += n;
	}
	return false;
}

/* Whether its container names tracks of sound and none of pictures. */
static bool is_sound_alone(const uint8_t *data, size_t size)
{
	static const struct {
		const char *container, *head;
		size_t behind;
		const char *sound, *pictures;
	} kinds[] = {
		{ "mov", "hdlr", 12, "soun", "vide" },
		{ "avi", "strh", 8, "auds", "vids" },
		{ "matroska", "\x83\x81", 2, "\2", "\1" },
	};
	size_t i = 0;
	while (strcmp(kinds[i].container, container_of(data)))
		i++;
	return has(data, size, kinds[i].head, kinds[i].behind, kinds[i].sound)
		&& !has(data, size, kinds[i].head, kinds[i].behind, kinds[i].pictures);
}

static void limit(pid_t pid, int what, uint64_t most)
{
	/* Where time is over, a signal that tells it comes before the one that kills. */
	const struct rlimit r = { most, what == RLIMIT_CPU ? most + 1 : most };
	prlimit(pid, (__rlimit_resource_t)what, &r, NULL);
}

#define NOT_DARK \
	"format=yuv420p,signalstats,metadata=select:key=lavfi.signalstats.YAVG:value=28:function=" \
	"greater"

/* Pass 0 to 2 of the search for a frame. */
static int start(process *p, int video, const char *container, int pass)
{
	char *key = "nokey", *all = "default";
	char *filter[] = { NOT_DARK ",thumbnail=24", NOT_DARK ",thumbnail=60", "null" };
	char *argv[] = { "ffmpeg", "-nostdin", "-v", "quiet", "-protocol_whitelist", "file,pipe",
		"-threads", "1", "-skip_frame", pass ? all : key, "-t", pass ? "10" : "3600", "-f",
		(char *)(uintptr_t)container, "-i", "file:/proc/self/fd/0", "-map", "0:v:0", "-vf",
		filter[pass], "-frames:v", "1", "-f", "image2pipe", "-c:v", "ppm", "pipe:1", NULL };
	int pipe_ends[2];
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, every;
	if (pipe2(pipe_ends, O_CLOEXEC))
		return errno;
	sigemptyset(&none);
	sigfillset(&every);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_adddup2(&files, video, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, pipe_ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &every);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	int rc = posix_spawnp(&p->pid, argv[0], &files, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	close(pipe_ends[1]);
	p->out = pipe_ends[0];
	if (rc) {
		close(p->out);
		return rc;
	}
	limit(p->pid, RLIMIT_AS, (uint64_t)4 << 30);
	limit(p->pid, RLIMIT_CPU, SECONDS);
	limit(p->pid, RLIMIT_CORE, 0);
	limit(p->pid, RLIMIT_FSIZE, 0);
	return 0;
}

/* Returns whether others had ended or stopped it. */
static bool end(process *p)
{
	close(p->out);
	int signal = ims_process_end(p->pid);
	return p->stopped || (p->gone && ims_process_is_outside(signal));
}

/* Up to n bytes while seconds are left; fewer at the end. */
static size_t receive(process *p, uint8_t *to, size_t n)
{
	size_t got = 0;
	while (got < n && p->left > 0 && !p->stopped && !p->gone) {
		if (!ims_process_wait(p->out, POLLIN, &p->left)) {
			p->stopped = ims_process_is_stopped(p->pid);
			continue;
		}
		ssize_t now = read(p->out, to + got, n - got);
		if (now > 0)
			got += (size_t)now;
		else
			p->gone = now == 0 || errno != EINTR;
	}
	return got;
}

/* The header of PPM, byte by byte; its pixels follow. False: there is none. */
static bool read_size(process *p, uint32_t *width, uint32_t *height)
{
	char text[64];
	size_t n = 0;
	int lines = 0;
	while (lines < 3 && n + 1 < sizeof text && receive(p, (uint8_t *)text + n, 1))
		lines += text[n++] == '\n';
	text[n] = 0;
	unsigned w = 0, h = 0, most = 0;
	if (lines < 3 || sscanf(text, "P6 %u %u %u", &w, &h, &most) != 3 || !w || !h || most != 255)
		return false;
	*width = w;
	*height = h;
	return true;
}

/* ---------------------------------------------------------------------------------- frames ---- */

static int hand_over(const void *data, size_t size, imgsearch_error *err)
{
	int fd = memfd_create("video", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bool fine = fd >= 0;
	for (size_t at = 0; fine && at < size;) {
		ssize_t put = write(fd, (const uint8_t *)data + at, size - at);
		fine = put > 0 || (put < 0 && errno == EINTR);
		at += put > 0 ? (size_t)put : 0;
	}
	if (fine && !fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK))
		return fd;
	if (fd >= 0)
		close(fd);
	ims_nomem(err);
	return -1;
}

/* disturbed: others ended ffmpeg, which is no fault of the file. */
static int no_frame(const process *p, bool disturbed, imgsearch_error *err)
{
	if (disturbed)
		return ims_fail(err, IMGSEARCH_EIO, "ffmpeg was ended");
	if (p->left <= 0)
		return ims_fail(err, IMGSEARCH_EFORMAT, "ffmpeg took longer than %d s", SECONDS);
	return ims_fail(err, IMGSEARCH_EFORMAT, "ffmpeg finds no frame in it");
}

/* A frame, of which the pixels wait; the caller ends the process. */
static int open_frame(process *p, const void *data, size_t size, uint32_t *width, uint32_t *height,
	imgsearch_error *err)
{
	int video = hand_over(data, size, err);
	if (video < 0)
		return IMGSEARCH_ENOMEM;
	bool found = false, disturbed = false;
	int failed = 0;
	*p = (process){ .left = SECONDS };
	for (int pass = 0; !found && !failed && !disturbed && pass < 3; pass++) {
		p->gone = false;
		failed = start(p, video, container_of(data), pass);
		found = !failed && read_size(p, width, height);
		if (!failed && !found)
			disturbed = end(p);
	}
	close(video);
	if (failed)
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "ffmpeg cannot be started: %s",
			ims_errno_text(failed));
	return found ? 0 : no_frame(p, disturbed, err);
}

/* The size of the frame; its pixels where out is not NULL, if they have the size that is known. */
static int read_frame(uint32_t *width, uint32_t *height, image *out, const void *data, size_t size,
	imgsearch_error *err)
{
	process p;
	const uint32_t known_width = *width, known_height = *height;
	int rc = open_frame(&p, data, size, width, height, err);
	if (rc)
		return rc;
	if (out && (*width != known_width || *height != known_height))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "it changed while it was read");
	if (out && !rc)
		rc = ims_image_new(out, *width, *height, err);
	size_t n = out ? (size_t)*width * *height * 3 : 0;
	bool lost = !rc && receive(&p, out ? out->pixels : NULL, n) != n;
	bool disturbed = end(&p);
	if (!lost)
		return rc;
	ims_image_free(out);
	return no_frame(&p, disturbed, err);
}

/* Again where ffmpeg was ended by others. */
static int find_frame(uint32_t *width, uint32_t *height, image *out, const void *data, size_t size,
	imgsearch_error *err)
{
	enum { MOST_TRIES = 8 };
	int rc = IMGSEARCH_EIO;
	for (int tries = 0; rc == IMGSEARCH_EIO && tries < MOST_TRIES; tries++)
		rc = read_frame(width, height, out, data, size, err);
	return rc;
}

static int head(image_head *out, const void *data, size_t size, uint64_t max_pixels,
	imgsearch_error *err)
{
	if (is_sound_alone(data, size))
		return ims_fail(err, IMGSEARCH_EFORMAT, "it has sound and no pictures");
	int rc = find_frame(&out->width, &out->height, NULL, data, size, err);
	if (rc)
		return rc;
	out->orientation = 1;
	out->memory = size + (uint64_t)out->width * out->height * 24; /* ffmpeg's, too */
	return ims_image_check_size(out->width, out->height, max_pixels, err);
}

static int decode(image *out, const image_head *stored, const void *data, size_t size,
	const decode_request *request, imgsearch_error *err)
{
	uint32_t width = stored->width, height = stored->height;
	(void)request;
	return find_frame(&width, &height, out, data, size, err);
}

const codec ims_codec_video = {
	.decoder = { IMAGE_VIDEO, false, head, decode },
	.needs = { { "ffmpeg", "ffmpeg", NULL } },
	.load = load,
};
