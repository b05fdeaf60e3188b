/*
 * Both ends of the socket between a process and its helper, each with an end that says anything.
 * The first byte chooses which, and the codec. Of a request to a helper the number of pixels is
 * made small, as the process has looked at the head before.
 */
#include "fuzz/codec.h"

#include <errno.h>
#include <string.h>

/* Sends everything, then ends the socket's one direction. */
static void send_all(int fd, const void *data, size_t size)
{
	if (size && send(fd, data, size, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		abort();
	shutdown(fd, SHUT_WR);
}

static const codec *codec_of(uint8_t number)
{
	static const image_format formats[] = { IMAGE_WEBP, IMAGE_HEIC, IMAGE_AVIF, IMAGE_JXL,
		IMAGE_TIFF };
	const codec *c = ims_codec_find(formats[number % (sizeof formats / sizeof *formats)]);
	return c->load() ? NULL : c;
}

/* A helper that gets a request which nobody would send, and answers as its rules are or ends. */
static void ask_helper(const codec *c, const uint8_t *data, size_t size)
{
	fuzz_server server;
	pthread_t thread;
	uint8_t waste[4096];
	wire_request r = { 0 };
	memcpy(&r, data, size < sizeof r ? size : sizeof r);
	r.max_pixels %= 1 << 18;
	int fd = fuzz_start(&server, &thread, c);
	if (size >= sizeof r) {
		send(fd, &r, sizeof r, MSG_NOSIGNAL);
		send_all(fd, data + sizeof r, size - sizeof r);
	} else {
		send_all(fd, data, size);
	}
	for (ssize_t got = 1; got > 0 || (got < 0 && errno == EINTR);)
		got = read(fd, waste, sizeof waste);
	close(fd);
	pthread_join(thread, NULL);
}

/* Whether a question can have this answer. */
static bool can_be(const question *q, const image_head *head)
{
	const wire_answer *a = &q->answer;
	if (q->blocks.exif.len > IMAGE_MAX_BLOCK || q->blocks.xmp.len > IMAGE_MAX_BLOCK)
		return false;
	if (q->request.action != WIRE_DECODE || a->rc)
		return !q->im.pixels;
	return q->im.pixels && q->im.width == head->width && q->im.height
		&& q->im.height <= head->height && (q->im.height == head->height || q->request.partial);
}

/* A helper that answers anything: nothing of it is believed that cannot be. */
static void answer_process(uint8_t kind, const uint8_t *data, size_t size)
{
	static const char file[] = "a file";
	int pair[2];
	imgsearch_error err = { 0 };
	const image_head stored = { .format = IMAGE_WEBP, .width = 5, .height = 3, .orientation = 1 };
	image_head head = { 0 };
	question q = kind % 3 == 0 ? ims_question_head(IMAGE_WEBP, file, sizeof file, 1 << 18, 1)
		: kind % 3 == 1        ? ims_question_decode(&stored, file, sizeof file, kind & 64, 1)
							   : ims_question_blocks(IMAGE_WEBP, file, sizeof file, 1);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	send_all(pair[1], data, size);
	const peer p = { .fd = pair[0] };
	outcome o = ims_exchange(&p, &q, &err);
	if (o == ANSWERED && !can_be(&q, &stored))
		__builtin_trap();
	if (o != ANSWERED && (q.im.pixels || q.blocks.exif.data || q.blocks.xmp.data))
		__builtin_trap();
	int rc = o == ANSWERED ? ims_exchange_error(&q, &err) : IMGSEARCH_EIO;
	if (q.request.action == WIRE_HEAD && !ims_answer_head(&q, &head, 1 << 28, rc, &err)
		&& (!head.width || !head.height || (uint64_t)head.width * head.height > 1 << 18))
		__builtin_trap();
	ims_image_free(&q.im);
	ims_image_blocks_free(&q.blocks);
	close(pair[0]);
	close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const codec *c = size ? codec_of(*data & 127) : NULL;
	if (!size)
		return 0;
	if (*data & 128)
		answer_process(*data & 127, data + 1, size - 1);
	else if (c)
		ask_helper(c, data + 1, size - 1);
	return 0;
}
