#include "codec/serve.h"

#include "codec/codec.h"
#include "codec/sandbox.h"
#include "codec/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool read_all(int socket, void *to, size_t n)
{
	for (uint8_t *at = to; n;) {
		ssize_t got = read(socket, at, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

static bool write_all(int socket, const void *from, size_t n)
{
	for (const uint8_t *at = from; n;) {
		ssize_t put = write(socket, at, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += put;
		n -= (size_t)put;
	}
	return true;
}

static void decode(const codec *c, const wire_request *r, const void *data, colour_cache *colours,
	wire_answer *a, image *im, imgsearch_error *err)
{
	image_head head = { .format = c->decoder.format, .orientation = 1 };
	a->rc = c->decoder.head(&head, data, r->size, r->max_pixels, err);
	a->width = head.width;
	a->height = head.height;
	a->orientation = head.orientation;
	a->traits = head.traits;
	a->memory = head.memory;
	if (a->rc || r->action == WIRE_HEAD)
		return;
	const decode_request request = { .shrink = 1, .partial = r->partial, .colours = colours };
	a->rc = c->decoder.decode(im, &head, data, r->size, &request, err);
	if (a->rc)
		return;
	a->width = im->width;
	a->height = im->height;
	a->partial = im->partial;
	a->unconverted = im->unconverted;
	a->pixels = (uint64_t)im->width * im->height * 3;
}

static void find_blocks(const codec *c, const wire_request *r, const void *data, wire_answer *a,
	image_blocks *blocks)
{
	ims_codec_blocks(c, blocks, data, r->size);
	a->orientation = 1;
	a->exif = (uint32_t)blocks->exif.len;
	a->xmp = (uint32_t)blocks->xmp.len;
}

/* One picture. False: the other end is gone, or there is no memory to go on with. */
static bool serve_one(const codec *c, int socket, colour_cache *colours)
{
	wire_request r;
	wire_answer a = { .magic = WIRE_MAGIC };
	imgsearch_error err = { 0 };
	image im = { 0 };
	image_blocks blocks = { 0 };
	if (!read_all(socket, &r, sizeof r) || r.magic != WIRE_MAGIC || r.size > IMS_IMAGE_MAX_FILE)
		return false;
	void *data = ims_alloc(r.size, 1);
	if (!data || !read_all(socket, data, r.size)) {
		ims_free(data);
		return false;
	}
	alarm(r.seconds); /* not while it waits: the other end may be stopped for a while */
	if (r.action == WIRE_BLOCKS)
		find_blocks(c, &r, data, &a, &blocks);
	else
		decode(c, &r, data, colours, &a, &im, &err);
	alarm(0);
	memcpy(a.message, err.message, strnlen(err.message, sizeof a.message - 1)); /* the rest is 0 */
	bool written = write_all(socket, &a, sizeof a) && write_all(socket, im.pixels, a.pixels)
		&& write_all(socket, blocks.exif.data, a.exif) && write_all(socket, blocks.xmp.data, a.xmp);
	ims_image_blocks_free(&blocks);
	ims_image_free(&im);
	ims_free(data);
	return written;
}

void ims_codec_serve_requests(const codec *c, int socket, colour_cache *colours)
{
	while (serve_one(c, socket, colours)) {}
}

/* Makes the library do once all that it does once. */
static bool warm_up(const codec *c, colour_cache *colours)
{
	wire_request r = { .action = WIRE_DECODE, .size = c->sample_size };
	wire_answer a = { 0 };
	image im = { 0 };
	decode(c, &r, c->sample, colours, &a, &im, NULL);
	ims_image_free(&im);
	return !a.rc;
}

static wire_state prepare(const codec *c, uint64_t memory, colour_cache *colours, uint32_t *missing)
{
	ims_sandbox_limit(memory);
	*missing = c->load();
	if (*missing)
		return WIRE_MISSING;
	ims_colour_available();
	return warm_up(c, colours) && ims_sandbox_lock() ? WIRE_READY : WIRE_BROKEN;
}

int ims_codec_serve(int argc, char **argv)
{
	if (argc != 4 || strcmp(argv[1], WIRE_WORD))
		return -1;
	const codec *c = ims_codec_find((image_format)atoi(argv[2]));
	colour_cache *colours = ims_colour_cache_new();
	if (!c || !c->sample_size || !colours)
		return 1;
	wire_hello hello = { WIRE_MAGIC, WIRE_VERSION, 0, c->decoder.format, 0 };
	prctl(PR_SET_NAME, "imgsearch-dec");
	hello.state = prepare(c, strtoull(argv[3], NULL, 10), colours, &hello.missing);
	if (!write_all(STDIN_FILENO, &hello, sizeof hello) || hello.state != WIRE_READY)
		return 0;
	ims_codec_serve_requests(c, STDIN_FILENO, colours);
	return 0;
}
