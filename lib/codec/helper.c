#include "codec/helper.h"

#include "codec/exchange.h"
#include "codec/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_PICTURES = 200, MOST_TRIES = 8, START_SECONDS = 30, AGAIN_SECONDS = 60 };
enum { FORMATS = IMAGE_EMPTY + 1, SECONDS = 120 };

extern char **environ;

typedef struct helper {
	peer at;
	image_format format;
	unsigned pictures;
} helper;

/* Why files of a format cannot be decoded, until then. */
typedef struct refusal {
	double until;
	imgsearch_error why;
} refusal;

struct helpers {
	image_codecs codecs; /* the first member */
	helper_options options;
	char *program;
	pthread_mutex_t lock; /* protects the rest */
	helper *idle;
	unsigned n_idle;
	refusal refusals[FORMATS];
};

/* ------------------------------------------------------------------------ start and ending ---- */

/* Ends a helper. Returns the signal that had ended it; 0: none; -1: that is not known. */
static int end_helper(helper *p)
{
	close(p->at.fd);
	return ims_process_end(p->at.pid);
}

/* Standard input is the socket; nothing else of the program's is open. */
static int spawn(helper *p, const helpers *h, int socket, image_format format)
{
	char number[16], memory[32];
	char *argv[] = { h->program, WIRE_WORD, number, memory, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	snprintf(number, sizeof number, "%d", (int)format);
	snprintf(memory, sizeof memory, "%llu", (unsigned long long)h->options.memory);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_adddup2(&files, socket, STDIN_FILENO);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0); /* a Ctrl-C is for the program alone */
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	int rc = posix_spawn(&p->at.pid, h->program, &files, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return rc;
}

/* Whether others ended or stopped it. */
static bool is_disturbed(outcome o, int signal)
{
	return o == STOPPED || (o == GONE && ims_process_is_outside(signal));
}

static int cannot_start(image_format f, const char *why, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "the decoder of %s cannot be started: %s",
		ims_image_format_name(f), why);
}

/* Waits for the hello. */
static int meet(helper *p, outcome *o, imgsearch_error *err)
{
	wire_hello hello = { 0 };
	*o = ims_exchange_hello(&p->at, &hello, START_SECONDS);
	if (*o != ANSWERED)
		return cannot_start(p->format, *o == GONE ? "it ended at once" : "it does not answer", err);
	if (hello.magic != WIRE_MAGIC || hello.version != WIRE_VERSION || hello.format != p->format)
		return cannot_start(p->format, "it is another program, or of another version", err);
	const codec *c = ims_codec_find(p->format);
	if (hello.state == WIRE_MISSING && hello.missing - 1 < CODEC_NEEDS
		&& c->needs[hello.missing - 1].name)
		return ims_codec_missing(c, hello.missing, err);
	return hello.state == WIRE_READY ? 0
									 : cannot_start(p->format, "it does not decode a sample", err);
}

static int start_one(helpers *h, helper *p, image_format format, imgsearch_error *err)
{
	int pair[2];
	*p = (helper){ .format = format };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return cannot_start(format, ims_errno_text(errno), err);
	p->at.fd = pair[0];
	int rc = spawn(p, h, pair[1], format);
	close(pair[1]);
	if (rc) {
		close(p->at.fd);
		return cannot_start(format, ims_errno_text(rc), err);
	}
	return 0;
}

static int start_helper(helpers *h, helper *p, image_format format, imgsearch_error *err)
{
	bool again = true;
	int rc = 0;
	for (unsigned tries = 0; again && tries < MOST_TRIES; tries++) {
		outcome o;
		rc = start_one(h, p, format, err);
		if (rc)
			return rc;
		rc = meet(p, &o, err);
		again = rc && is_disturbed(o, end_helper(p));
	}
	return rc;
}

/* A helper of the format: an idle one, unless a fresh one is wanted. A failure is remembered. */
static int acquire(helpers *h, helper *p, image_format format, bool fresh, imgsearch_error *err)
{
	pthread_mutex_lock(&h->lock);
	refusal *refused = &h->refusals[format];
	int rc = ims_now() < refused->until ? refused->why.code : 0;
	if (rc && err)
		*err = refused->why;
	bool found = false;
	for (unsigned i = h->n_idle; !rc && !fresh && !found && i-- > 0;)
		if (h->idle[i].format == format) {
			found = true;
			*p = h->idle[i];
			h->idle[i] = h->idle[--h->n_idle];
		}
	pthread_mutex_unlock(&h->lock);
	if (rc || found)
		return rc;
	imgsearch_error why = { 0 };
	rc = start_helper(h, p, format, &why);
	if (rc) {
		pthread_mutex_lock(&h->lock);
		*refused = (refusal){ ims_now() + AGAIN_SECONDS, why };
		pthread_mutex_unlock(&h->lock);
		if (err)
			*err = why;
	}
	return rc;
}

/* Keeps a good helper for the next picture. Where there are too many, the oldest ends. */
static void keep(helpers *h, helper *p)
{
	helper out = *p;
	pthread_mutex_lock(&h->lock);
	if (p->pictures < MOST_PICTURES && h->n_idle < h->options.keep) {
		h->idle[h->n_idle++] = *p;
		out.at.pid = 0;
	} else if (p->pictures < MOST_PICTURES && h->options.keep) {
		out = h->idle[0];
		memmove(h->idle, h->idle + 1, (h->n_idle - 1) * sizeof *h->idle);
		h->idle[h->n_idle - 1] = *p;
	}
	pthread_mutex_unlock(&h->lock);
	if (out.at.pid)
		end_helper(&out);
}

/* -------------------------------------------------------------------------------- exchange ---- */

/*
 * Decides after a helper gave no answer. 0: another helper may try, since this one was killed, or
 * earlier pictures may be the cause. Otherwise the error of the picture.
 */
static int judge(const helpers *h, outcome o, int signal, bool fresh, unsigned tries,
	imgsearch_error *err)
{
	if (o == TOO_LONG || signal == SIGALRM)
		return ims_fail(err, IMGSEARCH_EFORMAT, "its decoder took longer than %u s",
			h->options.seconds);
	if (!fresh)
		return 0;
	if (o == NONSENSE)
		return ims_fail(err, IMGSEARCH_EFORMAT, "its decoder gave no valid answer");
	if (signal == SIGSYS)
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"its decoder made a call of the system that is not allowed to it");
	if (ims_process_is_crash(signal))
		return ims_fail(err, IMGSEARCH_EFORMAT, "its decoder crashed (signal %d)", signal);
	if (tries < MOST_TRIES)
		return 0;
	return ims_fail(err, signal < 0 ? IMGSEARCH_EFORMAT : IMGSEARCH_EIO,
		"its decoder was ended %u times", tries);
}

/* Asks until a helper answers. A helper that waited for work may have been ended meanwhile. */
static int ask(helpers *h, question *q, imgsearch_error *err)
{
	bool fresh = false;
	for (unsigned tries = 0;;) {
		helper p;
		int rc = acquire(h, &p, q->format, fresh, err);
		if (rc)
			return rc;
		fresh = !p.pictures;
		outcome o = ims_exchange(&p.at, q, err);
		p.pictures += q->request.action == WIRE_DECODE;
		if (o == ANSWERED) {
			keep(h, &p);
			return ims_exchange_error(q, err);
		}
		tries += fresh;
		int signal = end_helper(&p);
		rc = o == NO_MEMORY ? IMGSEARCH_ENOMEM : judge(h, o, signal, fresh, tries, err);
		if (rc)
			return rc;
		fresh = true;
	}
}

/* ---------------------------------------------------------------------------------- codecs ---- */

static helpers *helpers_of(image_codecs *c)
{
	return (helpers *)c;
}

static bool knows(const image_codecs *c, image_format f)
{
	(void)c;
	return ims_codec_find(f);
}

/* Codecs that start a program of their own work here. */
static bool is_local(image_format f)
{
	return !ims_codec_find(f)->sample_size;
}

static int check(image_codecs *c, image_format f, imgsearch_error *err)
{
	if (is_local(f))
		return ims_codec_local()->check(c, f, err);
	helper p;
	int rc = acquire(helpers_of(c), &p, f, false, err);
	if (!rc)
		keep(helpers_of(c), &p);
	return rc;
}

static int head(image_codecs *c, image_format f, image_head *out, const void *data, size_t size,
	uint64_t max_pixels, imgsearch_error *err)
{
	if (is_local(f))
		return ims_codec_local()->head(c, f, out, data, size, max_pixels, err);
	helpers *h = helpers_of(c);
	question q = ims_question_head(f, data, size, max_pixels, h->options.seconds);
	return ims_answer_head(&q, out, h->options.memory, ask(h, &q, err), err);
}

static int decode(image_codecs *c, image *out, const image_head *stored, const void *data,
	size_t size, const decode_request *request, imgsearch_error *err)
{
	if (is_local(stored->format))
		return ims_codec_local()->decode(c, out, stored, data, size, request, err);
	helpers *h = helpers_of(c);
	question q = ims_question_decode(stored, data, size, request->partial, h->options.seconds);
	return ims_answer_decode(&q, out, ask(h, &q, err));
}

static int blocks(image_codecs *c, image_format f, image_blocks *out, const void *data, size_t size,
	imgsearch_error *err)
{
	if (is_local(f))
		return ims_codec_local()->blocks(c, f, out, data, size, err);
	helpers *h = helpers_of(c);
	question q = ims_question_blocks(f, data, size, h->options.seconds);
	return ims_answer_blocks(&q, out, ask(h, &q, err));
}

image_codecs *ims_helpers_codecs(helpers *h)
{
	return &h->codecs;
}

helpers *ims_helpers_new(const helper_options *options)
{
	helpers *h = ims_zalloc(1, sizeof *h);
	if (!h)
		return NULL;
	h->codecs = (image_codecs){ knows, check, head, decode, blocks };
	h->options = *options;
	h->options.seconds = options->seconds ? options->seconds : SECONDS;
	h->program = ims_strdup(options->program);
	h->idle = ims_zalloc(options->keep, sizeof *h->idle);
	pthread_mutex_init(&h->lock, NULL);
	if (h->program && h->idle)
		return h;
	ims_helpers_free(h);
	return NULL;
}

void ims_helpers_free(helpers *h)
{
	if (!h)
		return;
	for (unsigned i = 0; i < h->n_idle; i++)
		end_helper(&h->idle[i]);
	pthread_mutex_destroy(&h->lock);
	ims_free(h->idle);
	ims_free(h->program);
	ims_free(h);
}
