#include "codec/exchange.h"

#include "codec/process.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* ------------------------------------------------------------------------------- questions ---- */

question ims_question_head(image_format f, const void *data, size_t size, uint64_t max_pixels,
	unsigned seconds)
{
	return (question){
		.format = f,
		.request = { WIRE_MAGIC, WIRE_HEAD, 0, seconds, size, max_pixels },
		.data = data,
	};
}

question ims_question_decode(const image_head *stored, const void *data, size_t size, bool partial,
	unsigned seconds)
{
	return (question){
		.format = stored->format,
		.request = { WIRE_MAGIC, WIRE_DECODE, partial, seconds, size, UINT64_MAX },
		.data = data,
		.stored = stored,
	};
}

question ims_question_blocks(image_format f, const void *data, size_t size, unsigned seconds)
{
	return (question){
		.format = f,
		.request = { WIRE_MAGIC, WIRE_BLOCKS, 0, seconds, size, 0 },
		.data = data,
	};
}

/* -------------------------------------------------------------------------------- exchange ---- */

/* Sends or receives n bytes while *left seconds last. */
static outcome transfer(const peer *p, void *data, size_t n, bool send_it, double *left)
{
	for (uint8_t *at = data; n;) {
		ssize_t done = send_it ? send(p->fd, at, n, MSG_NOSIGNAL | MSG_DONTWAIT)
							   : recv(p->fd, at, n, MSG_DONTWAIT);
		if (done > 0) {
			at += done;
			n -= (size_t)done;
			continue;
		}
		if (done == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
			return GONE;
		if (*left <= 0)
			return TOO_LONG;
		if (!ims_process_wait(p->fd, send_it ? POLLOUT : POLLIN, left)
			&& ims_process_is_stopped(p->pid))
			return STOPPED;
	}
	return ANSWERED;
}

outcome ims_exchange_hello(const peer *p, wire_hello *out, unsigned seconds)
{
	double left = seconds;
	return transfer(p, out, sizeof *out, false, &left);
}

/* Whether the numbers of an answer can be true. */
static bool is_sound(const question *q)
{
	enum { TRAITS = IMAGE_HAS_COLOURS | IMAGE_HAS_ALPHA | IMAGE_HAS_OTHER_ORIENTATION };
	const wire_answer *a = &q->answer;
	bool pixels = q->request.action == WIRE_DECODE && !a->rc;
	if (a->magic != WIRE_MAGIC || a->rc > 0 || a->traits & ~(uint32_t)TRAITS || a->partial > 1
		|| a->unconverted > 1 || a->orientation < 1 || a->orientation > 8)
		return false;
	if (pixels && (a->width != q->stored->width || !a->height || a->height > q->stored->height))
		return false;
	if (pixels && a->height < q->stored->height && !a->partial)
		return false;
	if (a->partial && !q->request.partial)
		return false;
	uint32_t most = q->request.action == WIRE_BLOCKS ? IMAGE_MAX_BLOCK : 0;
	if (a->exif > most || a->xmp > most)
		return false;
	return a->pixels == (pixels ? (uint64_t)a->width * a->height * 3 : 0);
}

static outcome receive_block(const peer *p, buf *to, size_t size, double *left)
{
	void *at = size ? ims_buf_grow(to, size) : NULL;
	return !size ? ANSWERED : at ? transfer(p, at, size, false, left) : GONE;
}

static outcome receive_pixels(const peer *p, question *q, double *left, imgsearch_error *err)
{
	if (!q->answer.pixels)
		return ANSWERED;
	if (ims_image_new(&q->im, q->answer.width, q->answer.height, err))
		return NO_MEMORY; /* the pixels stay in the socket */
	return transfer(p, q->im.pixels, q->answer.pixels, false, left);
}

static outcome send_and_receive(const peer *p, question *q, imgsearch_error *err)
{
	double left = q->request.seconds;
	outcome o = transfer(p, &q->request, sizeof q->request, true, &left);
	if (o == ANSWERED)
		o = transfer(p, (void *)(uintptr_t)q->data, q->request.size, true, &left);
	if (o == ANSWERED)
		o = transfer(p, &q->answer, sizeof q->answer, false, &left);
	if (o == ANSWERED && !is_sound(q))
		o = NONSENSE;
	if (o == ANSWERED)
		o = receive_block(p, &q->blocks.exif, q->answer.exif, &left);
	if (o == ANSWERED)
		o = receive_block(p, &q->blocks.xmp, q->answer.xmp, &left);
	return o == ANSWERED ? receive_pixels(p, q, &left, err) : o;
}

outcome ims_exchange(const peer *p, question *q, imgsearch_error *err)
{
	q->answer = (wire_answer){ 0 };
	outcome o = send_and_receive(p, q, err);
	if (o != ANSWERED) {
		q->answer = (wire_answer){ 0 };
		ims_image_free(&q->im);
		ims_image_blocks_free(&q->blocks);
	}
	return o;
}

/* --------------------------------------------------------------------------------- answers ---- */

int ims_exchange_error(question *q, imgsearch_error *err)
{
	wire_answer *a = &q->answer;
	if (!a->rc)
		return 0;
	bool known = a->rc == IMGSEARCH_ELIMIT || a->rc == IMGSEARCH_ENOMEM
		|| a->rc == IMGSEARCH_EUNSUPPORTED;
	int rc = known ? a->rc : IMGSEARCH_EFORMAT;
	a->message[sizeof a->message - 1] = 0;
	for (char *c = a->message; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = '?';
	return ims_fail(err, rc, "%s", *a->message ? a->message : "its decoder failed");
}

int ims_answer_head(const question *q, image_head *out, uint64_t memory, int rc,
	imgsearch_error *err)
{
	const wire_answer *a = &q->answer;
	if (rc && !a->magic)
		return rc;
	int too_big = ims_image_check_size(a->width, a->height, q->request.max_pixels, err);
	if (!rc && !too_big && (!a->width || !a->height))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "its decoder gave no valid answer");
	out->width = a->width;
	out->height = a->height;
	out->orientation = a->orientation;
	out->traits = a->traits;
	/* The helper has its own copy of the file and of the pixels. */
	uint64_t pixels = (uint64_t)out->width * out->height * 3;
	out->memory = (a->memory < memory ? a->memory : memory) + q->request.size + pixels;
	return too_big ? too_big : rc;
}

int ims_answer_decode(const question *q, image *out, int rc)
{
	if (rc)
		return rc;
	*out = q->im;
	out->partial = q->answer.partial;
	out->unconverted = q->answer.unconverted;
	return 0;
}

int ims_answer_blocks(const question *q, image_blocks *out, int rc)
{
	*out = q->blocks;
	return rc;
}
