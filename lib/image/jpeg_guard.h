/*
 * Calls of libjpeg that its error handler jumps out of. What must survive the jump lies in the job,
 * never in a local variable.
 */
#ifndef IMS_IMAGE_JPEG_GUARD_H
#define IMS_IMAGE_JPEG_GUARD_H

#include "base/base.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>

/* The first member of each job, whose address libjpeg knows as that of `manager`. */
typedef struct jpeg_guard {
	struct jpeg_error_mgr manager;
	jmp_buf jump;
	void (*on_error)(j_common_ptr c);              /* does not return; NULL: ims_jpeg_error */
	void (*on_message)(j_common_ptr c, int level); /* NULL: warnings do not matter */
	int code;
	char message[JMSG_LENGTH_MAX + 32];
} jpeg_guard;

/* Runs work(job). The status and the sentence of the jump, where there is one. */
int ims_jpeg_run(jpeg_guard *g, void (*work)(void *job), void *job, imgsearch_error *err);

/* Ends work. message NULL: that of the guard. */
_Noreturn void ims_jpeg_jump(jpeg_guard *g, int code, const char *message);

/* Ends work with what libjpeg says. */
_Noreturn void ims_jpeg_error(j_common_ptr c);

#endif
