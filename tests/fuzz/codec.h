/*
 * What the fuzz targets of codecs share: a file goes the way that it goes to a helper, over a
 * socket, from the questions of this side to the loop of the helper's, which runs on a thread.
 */
#ifndef IMS_TESTS_FUZZ_CODEC_H
#define IMS_TESTS_FUZZ_CODEC_H

#include "codec/exchange.h"
#include "codec/serve.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a library leaks of a damaged file is not ours; a helper ends after 200 pictures. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libheif.so\nleak:libdav1d.so\nleak:libde265.so\nleak:libaom.so\nleak:libjxl.so\n"
		   "leak:libtiff.so\nleak:libwebp.so\n";
}

/* The alarm of a helper is left out: the fuzzer has its own. */
unsigned alarm(unsigned seconds)
{
	(void)seconds;
	return 0;
}

typedef struct fuzz_server {
	const codec *codec;
	int socket;
} fuzz_server;

/* A helper behind its start. The colours are those of a process, as there. */
static inline void *fuzz_serve(void *arg)
{
	static colour_cache *colours;
	const fuzz_server *s = arg;
	if (!colours)
		colours = ims_colour_cache_new();
	ims_codec_serve_requests(s->codec, s->socket, colours);
	close(s->socket);
	return NULL;
}

/* Starts one; returns this side's socket. */
static inline int fuzz_start(fuzz_server *s, pthread_t *thread, const codec *c)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	*s = (fuzz_server){ c, pair[1] };
	if (pthread_create(thread, NULL, fuzz_serve, s))
		abort();
	return pair[0];
}

static inline bool fuzz_knows(const image_codecs *c, image_format f)
{
	(void)c;
	return ims_codec_find(f);
}

static inline int fuzz_check(image_codecs *c, image_format f, imgsearch_error *err)
{
	(void)c;
	return ims_codec_local()->check(ims_codec_local(), f, err);
}

/* Asks a helper that serves this question alone. It answers whatever the file is. */
static inline int fuzz_ask(question *q, imgsearch_error *err)
{
	fuzz_server server;
	pthread_t thread;
	const peer p = { .fd = fuzz_start(&server, &thread, ims_codec_find(q->format)) };
	if (ims_exchange(&p, q, err) != ANSWERED)
		__builtin_trap();
	close(p.fd);
	pthread_join(thread, NULL);
	return ims_exchange_error(q, err);
}

enum { FUZZ_SECONDS = 120 };

static inline int fuzz_head(image_codecs *c, image_format f, image_head *out, const void *data,
	size_t size, uint64_t max_pixels, imgsearch_error *err)
{
	(void)c;
	question q = ims_question_head(f, data, size, max_pixels, FUZZ_SECONDS);
	return ims_answer_head(&q, out, UINT32_MAX, fuzz_ask(&q, err), err);
}

static inline int fuzz_decode(image_codecs *c, image *out, const image_head *stored,
	const void *data, size_t size, const decode_request *request, imgsearch_error *err)
{
	(void)c;
	question q = ims_question_decode(stored, data, size, request->partial, FUZZ_SECONDS);
	return ims_answer_decode(&q, out, fuzz_ask(&q, err));
}

static inline int fuzz_blocks(image_codecs *c, image_format f, image_blocks *out, const void *data,
	size_t size, imgsearch_error *err)
{
	(void)c;
	question q = ims_question_blocks(f, data, size, FUZZ_SECONDS);
	return ims_answer_blocks(&q, out, fuzz_ask(&q, err));
}

/* The last byte chooses `partial`. Files of other formats are passed over. */
static inline void fuzz_codec(const uint8_t *data, size_t size, image_format one,
	image_format another)
{
	static image_codecs codecs = { fuzz_knows, fuzz_check, fuzz_head, fuzz_decode, fuzz_blocks };
	image_head head;
	image im;
	image_blocks blocks;
	image_format f = ims_image_sniff(data, size);
	if ((f != one && f != another) || ims_codec_find(f)->load())
		return;
	image_limits limits = {
		.max_pixels = 1 << 18,
		.partial = data[size - 1] & 1,
		.codecs = &codecs,
		.also = UINT32_MAX,
	};
	int bad = ims_image_head(&head, data, size, &limits, NULL);
	if (ims_image_decode(&im, NULL, data, size, &limits, NULL, NULL) == 0 && bad)
		__builtin_trap(); /* a picture whose head is bad */
	ims_image_free(&im);
	if (ims_image_blocks(&blocks, data, size, &limits, NULL) == 0
		&& (blocks.exif.len > IMAGE_MAX_BLOCK || blocks.xmp.len > IMAGE_MAX_BLOCK))
		__builtin_trap();
	ims_image_blocks_free(&blocks);
}

#endif
