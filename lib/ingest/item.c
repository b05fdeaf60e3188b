/* One file on a worker thread: sniff, read, hash, and unless its bytes are known, decode and fit. */
#include "ingest/index.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { SNIFF = 64 };

static uint32_t state_of(int code)
{
	switch (code) {
	case 0: return IMGSEARCH_INDEXED;
	case IMGSEARCH_EUNSUPPORTED: return IMGSEARCH_UNSUPPORTED;
	case IMGSEARCH_ELIMIT: return IMGSEARCH_TOO_BIG;
	case IMGSEARCH_EIO:
	case IMGSEARCH_ENOTFOUND: return IMGSEARCH_UNREADABLE;
	case IMGSEARCH_ENOMEM:
	case IMGSEARCH_EDB:
	case IMGSEARCH_EBUSY: return IMGSEARCH_UNREADABLE; /* tried again at the next run */
	default: return IMGSEARCH_DAMAGED;
	}
}

/* A long film is not read to the end to learn that it is no picture. */
static int sniff(const char *full, image_format *format, imgsearch_error *err)
{
	uint8_t head[SNIFF];
	int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return ims_fail(err, errno == ENOENT ? IMGSEARCH_ENOTFOUND : IMGSEARCH_EIO, "%s", strerror(errno));
	ssize_t got = read(fd, head, sizeof head);
	int rc = got < 0 ? ims_fail(err, IMGSEARCH_EIO, "%s", strerror(errno)) : 0;
	close(fd);
	*format = rc ? IMAGE_UNKNOWN : ims_image_sniff(head, (size_t)got);
	return rc;
}

/* Are the bytes known, and is there no vector to make of them? A guess that is confirmed when the item is retired. */
static bool is_known(const item *it)
{
	imgsearch *s = it->run->s;
	store_picture p = { 0 };
	bool known = !ims_store_picture_by_hash(s->store, &it->hash, &p, NULL)
		&& (!it->run->context.next || ims_store_vector_next_has(s->store, p.id));
	ims_store_picture_clear(&p);
	return known;
}

static int decode(item *it, const buf *bytes, imgsearch_error *err)
{
	const item_context *c = &it->run->context;
	size_t side = c->recipe.crop;
	image im = { 0 };
	image_limits limits = ims_engine_limits(c->s, &c->recipe);
	int rc = ims_image_decode(&im, &it->head, bytes->data, bytes->len, &limits, NULL, err);
	if (!rc && !it->input && !(it->input = ims_alloc_aligned(side * side, 3 * sizeof(float))))
		rc = ims_nomem(err);
	if (!rc)
		ims_analysis_signature(&it->pixels, im.pixels, im.width, im.height);
	if (!rc)
		rc = ims_image_fit(&im, &c->recipe, false, it->input, err);
	ims_image_free(&im);
	return rc;
}

static int work(item *it, const char *full, imgsearch_error *err)
{
	buf bytes = { 0 };
	image_format format = IMAGE_UNKNOWN;
	int rc = sniff(full, &format, err);
	if (!rc && format == IMAGE_UNKNOWN)
		rc = ims_fail(err, IMGSEARCH_EUNSUPPORTED, "not a picture");
	if (!rc && format == IMAGE_EMPTY)
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "empty file");
	if (!rc)
		rc = ims_read_file(&bytes, full, IMS_IMAGE_MAX_FILE, err);
	if (!rc) {
		it->hash = ims_hash(bytes.data, bytes.len);
		it->size = bytes.len;
		it->decoded = it->vector_only || it->decode_anyway || !is_known(it);
	}
	if (!rc && it->decoded)
		rc = decode(it, &bytes, err);
	ims_buf_free(&bytes);
	return rc;
}

void ims_item_work(void *arg)
{
	item *it = arg;
	item_context *c = &it->run->context;
	double start = ims_now();
	char *full = ims_path_join(it->root ? it->root_path : NULL, it->path);
	it->why = (imgsearch_error){ 0 };
	it->decoded = false;
	it->head = (image_head){ 0 };
	memset(&it->hash, 0, sizeof it->hash);
	int rc = full ? work(it, full, &it->why) : ims_nomem(&it->why);
	ims_free(full);
	it->state = state_of(rc);
	it->seconds = ims_now() - start;
	pthread_mutex_lock(&c->lock);
	it->done = true;
	pthread_cond_signal(&c->finished);
	pthread_mutex_unlock(&c->lock);
}
