/*
 * The protocol between a process and its helper, over a socket: a hello of the helper, then a
 * request and its answer for each picture. Numbers have the byte order of the machine. Both ends
 * belong to one release (WIRE_VERSION), but an answer is untrusted and checked.
 */
#ifndef IMS_CODEC_WIRE_H
#define IMS_CODEC_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { WIRE_MAGIC = 0x696D7364, WIRE_VERSION = 3 };

/* PROGRAM WIRE_WORD FORMAT MEMORY: a helper for one format; its socket is its standard input. */
#define WIRE_WORD "decode-helper"

typedef enum wire_state {
	WIRE_READY,
	WIRE_MISSING, /* the library of the format is not there */
	WIRE_BROKEN   /* it does not decode its sample, or the sandbox cannot be entered */
} wire_state;

typedef struct wire_hello {
	uint32_t magic, version, state, format;
	uint32_t missing; /* WIRE_MISSING: 1 + the index of what the codec needs */
} wire_hello;

typedef enum wire_action { WIRE_HEAD, WIRE_DECODE, WIRE_BLOCKS } wire_action;

/* `size` bytes of the file follow. */
typedef struct wire_request {
	uint32_t magic, action, partial, seconds;
	uint64_t size, max_pixels;
} wire_request;

/*
 * After WIRE_DECODE with rc 0, width * height * 3 bytes of pixels follow; after WIRE_BLOCKS the
 * blocks of Exif and XMP.
 */
typedef struct wire_answer {
	uint32_t magic;
	int32_t rc;
	uint32_t width, height; /* of the header, or of the pixels */
	uint32_t orientation, traits, partial, unconverted;
	uint64_t memory, pixels; /* pixels: their bytes */
	uint32_t exif, xmp;      /* bytes */
	char message[504];       /* as imgsearch_error has */
} wire_answer;

#endif
