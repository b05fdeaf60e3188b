/*
 * A question to a helper and its answer, on this process's side of the socket (codec/wire.h). What
 * a helper says is untrusted and checked.
 */
#ifndef IMS_CODEC_EXCHANGE_H
#define IMS_CODEC_EXCHANGE_H

#include "codec/codec.h"
#include "codec/wire.h"

typedef struct peer {
	pid_t pid;
	int fd; /* its socket */
} peer;

/*
 * How an exchange ended. STOPPED: the helper waits for a signal to go on. NO_MEMORY: of this
 * process, for the pixels. The socket of a helper can be used again after ANSWERED alone.
 */
typedef enum outcome { ANSWERED, GONE, STOPPED, TOO_LONG, NONSENSE, NO_MEMORY } outcome;

/* What is asked, and what came back. */
typedef struct question {
	image_format format;
	wire_request request;
	const void *data;         /* the file; borrowed */
	const image_head *stored; /* of a picture whose pixels are asked for; borrowed */
	wire_answer answer;
	image im;
	image_blocks blocks;
} question;

question ims_question_head(image_format f, const void *data, size_t size, uint64_t max_pixels,
	unsigned seconds);
question ims_question_decode(const image_head *stored, const void *data, size_t size, bool partial,
	unsigned seconds);
question ims_question_blocks(image_format f, const void *data, size_t size, unsigned seconds);

/* The first words of a helper. */
outcome ims_exchange_hello(const peer *p, wire_hello *out, unsigned seconds);

/* Asks. Unless it is ANSWERED, nothing came back. err: of NO_MEMORY. */
outcome ims_exchange(const peer *p, question *q, imgsearch_error *err);

/* The error that the answer tells, as far as it is a sentence. 0: none. */
int ims_exchange_error(question *q, imgsearch_error *err);

/*
 * Take what came back, where rc is 0, the error of asking. They return rc, or the error that the
 * answer shows. memory: what a helper may take.
 */
int ims_answer_head(const question *q, image_head *out, uint64_t memory, int rc,
	imgsearch_error *err);
int ims_answer_decode(const question *q, image *out, int rc);
int ims_answer_blocks(const question *q, image_blocks *out, int rc);

#endif
