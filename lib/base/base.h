/*
 * The headers of the room in one include: nearly every file of the other rooms needs most of them.
 *
 *	error.h    a code and one sentence in the caller's struct
 *	alloc.h    memory: arrays whose size cannot overflow
 *	buf.h      growing bytes, written
 *	c_locale.h numbers and letters as text
 *	reader.h   untrusted bytes, read
 *	file.h     whole files, read and written
 *	path.h     paths as text
 *	ids.h      sorted row ids
 *	hash.h     content identity and checksums
 *	sha256.h   the hash that publishers of files state
 *	random.h   repeatable random numbers
 *	floats.h   rows of floats
 *	topk.h     the k nearest
 *	pool.h     threads
 *	spelling.h one spelling for names
 *	texts.h    lists of texts
 *	signals.h  signals that no thread of the library takes
 *	job.h      a call at work: progress, stopping, log
 *	retry.h    pauses between tries
 *	callback.h calls of the program's callbacks
 *	own_thread.h  work on a thread that lasts as long as the work
 *	result.h   the memory of a result of the public interface
 *	counts.h   counts of items by state
 *	clock.h    the time
 *	timestamp.h  points of time of the file system
 *	facts.h    what a picture says of itself
 *
 * The room includes only imgsearch.h, and knows no pixels and no files of an index.
 */
#ifndef IMS_BASE_H
#define IMS_BASE_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/c_locale.h"
#include "base/callback.h"
#include "base/clock.h"
#include "base/counts.h"
#include "base/error.h"
#include "base/facts.h"
#include "base/file.h"
#include "base/floats.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/job.h"
#include "base/own_thread.h"
#include "base/path.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/reader.h"
#include "base/regions.h"
#include "base/result.h"
#include "base/retry.h"
#include "base/sha256.h"
#include "base/signals.h"
#include "base/spelling.h"
#include "base/texts.h"
#include "base/timestamp.h"
#include "base/topk.h"
#include "imgsearch.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#endif
