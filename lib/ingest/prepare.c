/* Sniff, read and hash; where the bytes are new: decode, make the signature, fit. */
#include "ingest/prepare.h"

#include "handle/input.h"
#include "image/image.h"
#include "ingest/regions.h"
#include "meta/meta.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads only the first bytes for the format, so that large files of other kinds are not read. */
static int sniff(const char *path, image_format *format, imgsearch_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return ims_fail(err, errno == ENOENT ? IMGSEARCH_ENOTFOUND : IMGSEARCH_EIO, "%s",
			ims_errno_text(errno));
	*format = IMAGE_UNKNOWN;
	int rc = ims_image_sniff_file(fd, format)
		? ims_fail(err, IMGSEARCH_EIO, "%s", ims_errno_text(errno))
		: 0;
	close(fd);
	return rc;
}

/*
 * Reads the beginning of a JPEG, where its header stands, and all of a PNG, whose texts may stand
 * behind the pixels.
 */
static int read_header(buf *out, const char *path, image_format format)
{
	enum { BEGINNING = 1 << 18 };
	if (format == IMAGE_PNG)
		return ims_read_file(out, path, IMS_IMAGE_MAX_FILE, NULL);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	void *to = fd < 0 ? NULL : ims_buf_grow(out, BEGINNING);
	ssize_t got = to ? read(fd, to, BEGINNING) : -1;
	if (fd >= 0)
		close(fd);
	out->len = got > 0 ? (size_t)got : 0;
	return got < 0 ? IMGSEARCH_EIO : 0;
}

/* Those of the handle, and the formats that are read beside. */
static image_limits limits_of(imgsearch *s, const image_recipe *recipe, uint32_t also)
{
	image_limits limits = ims_handle_limits(s, recipe);
	limits.also |= also;
	return limits;
}

static int read_head(const char *path, const image_limits *limits, image_head *head)
{
	buf bytes = { 0 };
	image_format format;
	int rc = sniff(path, &format, NULL);
	if (!rc)
		rc = read_header(&bytes, path, format);
	if (!rc && ims_image_head(head, bytes.data, bytes.len, limits, NULL)) { /* a longer header */
		ims_buf_free(&bytes);
		rc = ims_read_file(&bytes, path, IMS_IMAGE_MAX_FILE, NULL);
		if (!rc)
			rc = ims_image_head(head, bytes.data, bytes.len, limits, NULL);
	}
	ims_buf_free(&bytes);
	return rc;
}

bool ims_prepare_is_current(imgsearch *s, const imgsearch_input *in, uint32_t made, uint32_t also,
	uint32_t *traits)
{
	image_head head = { 0 };
	const image_limits limits = limits_of(s, NULL, also);
	int rc = in->kind == IMGSEARCH_INPUT_KIND_FILE
		? read_head(in->path, &limits, &head)
		: ims_image_head(&head, in->data, in->size, &limits, NULL);
	*traits = head.traits;
	return rc || !ims_image_is_stale(&head, made);
}

const char ims_prepare_sidecar[] = "sidecar, not a picture";

/* EUNSUPPORTED or, of an empty file, EFORMAT, with a sentence. */
static int no_picture(const imgsearch_input *in, bool empty, prepared *out, imgsearch_error *err)
{
	out->sidecar = in->kind == IMGSEARCH_INPUT_KIND_FILE && ims_is_sidecar_name(in->path);
	if (empty && !out->sidecar)
		return ims_fail(err, IMGSEARCH_EFORMAT, "empty file");
	return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "%s",
		out->sidecar ? ims_prepare_sidecar : "not a picture");
}

/* Looks at the first bytes. out->pixels tells of a format whose library is missing. */
static int check_format(const prepare_request *r, const imgsearch_input *in, prepared *out,
	imgsearch_error *err)
{
	const image_limits limits = limits_of(r->s, r->recipe, r->also);
	image_format format = IMAGE_UNKNOWN;
	int rc = 0;
	if (in->kind == IMGSEARCH_INPUT_KIND_PIXELS)
		return 0;
	if (in->kind == IMGSEARCH_INPUT_KIND_FILE)
		rc = sniff(in->path, &format, err);
	else
		format = ims_image_sniff(in->data, in->size);
	if (!rc && (format == IMAGE_UNKNOWN || format == IMAGE_EMPTY))
		rc = no_picture(in, format == IMAGE_EMPTY, out, err);
	if (!rc && !r->known) {
		rc = ims_image_check_codec(format, &limits, err);
		out->pixels = rc ? IMAGE_NO_CODEC : 0;
	}
	return rc;
}

void ims_prepared_clear(prepared *p)
{
	ims_buf_free(&p->signature);
	ims_buf_free(&p->regions);
	ims_facts_clear(&p->facts);
	*p = (prepared){ 0 };
}

static int make_regions(const prepare_request *r, const image *im, model *network, prepared *out,
	imgsearch_error *err)
{
	double start = ims_now();
	int rc = network ? ims_regions_make(im, r->recipe, network, &out->regions, err) : 0;
	out->network_s = ims_now() - start;
	out->network_failed = rc != 0;
	return rc;
}

/* Makes the signature, the input of the network and the regions from decoded pixels. */
static int decode_for(const prepare_request *r, const imgsearch_input *in, const void *data,
	size_t size, model *network, prepared *out, float **input, imgsearch_error *err)
{
	image im;
	image_head head = { 0 };
	image_limits limits = limits_of(r->s, r->recipe, r->also);
	limits.partial = r->partial;
	if (network && limits.at_least < ims_regions_least_side(r->recipe))
		limits.at_least = ims_regions_least_side(r->recipe);
	int rc = ims_input_decode(in, data, size, &limits, &im, &head, err);
	out->width = rc || !ims_input_is_crop(in) ? head.width : (uint32_t)in->crop[2];
	out->height = rc || !ims_input_is_crop(in) ? head.height : (uint32_t)in->crop[3];
	if (rc == IMGSEARCH_EUNSUPPORTED && ims_image_needs_codec(head.format, &limits))
		out->pixels = IMAGE_NO_CODEC;
	if (!rc && !*input
		&& !(*input = ims_alloc_aligned(ims_recipe_values(r->recipe), sizeof **input)))
		rc = ims_nomem(err);
	if (!rc) {
		full_signature signature;
		out->pixels = ims_image_pixels(&im);
		out->bad_profile = ims_image_has_bad_profile(&im);
		ims_signature_make(&signature, im.pixels, im.width, im.height, im.box);
		ims_signature_pack(&out->signature, &signature);
		rc = out->signature.failed ? ims_nomem(err) : 0;
	}
	if (!rc)
		rc = ims_image_fit(&im, r->recipe, false, *input, err);
	if (!rc)
		rc = make_regions(r, &im, network, out, err);
	ims_image_free(&im);
	out->decoded = !rc;
	return rc;
}

static int decode(const prepare_request *r, const imgsearch_input *in, const void *data,
	size_t size, prepared *out, float **input, imgsearch_error *err)
{
	model *network = NULL;
	int rc = r->regions_of ? ims_handle_network(r->by, r->regions_of, &network, err) : 0;
	out->network_failed = rc != 0;
	if (!rc)
		rc = decode_for(r, in, data, size, network, out, input, err);
	ims_model_free(network);
	return rc;
}

/* Hashes whole files. Crops and pixels are never duplicates. */
static void identify(const imgsearch_input *in, const void *data, size_t size, prepared *out)
{
	if (in->kind == IMGSEARCH_INPUT_KIND_PIXELS)
		return;
	out->size = size;
	if (!ims_input_is_crop(in))
		out->hash = ims_hash(data, size);
}

/* Formats of codecs whose containers are read by lib/meta. */
static bool is_read_here(image_format format)
{
	return format == IMAGE_WEBP || format == IMAGE_VIDEO;
}

/* Adds the facts of a file: of a container that is read here, or whose codec hands out blocks. */
static void add_own(imgsearch *s, facts *own, const void *data, size_t size)
{
	const image_limits limits = ims_handle_limits(s, NULL);
	image_blocks b = { 0 };
	ims_facts_from_file(own, data, size);
	image_format format = ims_image_sniff(data, size);
	if (is_read_here(format) || !ims_image_needs_codec(format, &limits))
		return;
	if (!ims_image_blocks(&b, data, size, &limits, NULL)) {
		const metadata m = {
			.exif = b.exif.data,
			.exif_size = b.exif.len,
			.xmp = b.xmp.data,
			.xmp_size = b.xmp.len,
		};
		ims_facts_from_blocks(own, &m);
	}
	ims_image_blocks_free(&b);
}

/* Those of the sidecars beside n paths, then those of the file. */
static void set_facts(prepared *out, const char *const *path, size_t n, facts *own)
{
	out->sidecars = ims_sidecars_stamp_of(path, n);
	for (size_t i = 0; out->sidecars && i < n; i++)
		ims_facts_add_sidecars(&out->facts, path[i]);
	ims_facts_merge(&out->facts, own);
}

/* A codec's file is read whole. */
static bool read_own(imgsearch *s, facts *own, const char *path)
{
	const image_limits limits = ims_handle_limits(s, NULL);
	image_format format;
	buf bytes = { 0 };
	if (sniff(path, &format, NULL))
		return false;
	if (is_read_here(format) || !ims_image_needs_codec(format, &limits))
		return ims_facts_read(own, path);
	bool read = !ims_read_file(&bytes, path, IMS_IMAGE_MAX_FILE, NULL);
	if (read)
		add_own(s, own, bytes.data, bytes.len);
	ims_buf_free(&bytes);
	return read;
}

void ims_prepare_facts(imgsearch *s, const char *const *paths, size_t n, prepared *out)
{
	facts own = { 0 };
	bool read = read_own(s, &own, paths[0]);
	set_facts(out, paths, n, &own);
	out->has_facts = read && !out->facts.nomem;
}

/* The facts of bytes that were read, and of the sidecars of a file. Pixels have none. */
static int describe(imgsearch *s, const imgsearch_input *in, const void *data, size_t size,
	prepared *out, imgsearch_error *err)
{
	facts own = { 0 };
	bool file = in->kind == IMGSEARCH_INPUT_KIND_FILE;
	if (in->kind != IMGSEARCH_INPUT_KIND_PIXELS)
		add_own(s, &own, data, size);
	set_facts(out, &in->path, file ? 1 : 0, &own);
	out->has_facts = !out->facts.nomem;
	return out->facts.nomem ? ims_nomem(err) : 0;
}

void ims_prepare_facts_of(imgsearch *s, const imgsearch_input *in, prepared *out)
{
	if (in->kind == IMGSEARCH_INPUT_KIND_FILE)
		ims_prepare_facts(s, &in->path, 1, out);
	else if (in->data)
		describe(s, in, in->data, in->size, out, NULL);
}

/* Whether the index may have the bytes of a file: it has a picture of that size. */
static bool may_be_indexed(const prepare_request *r, const imgsearch_input *in)
{
	struct stat st;
	bool has = false;
	return r->has_content && in->kind == IMGSEARCH_INPUT_KIND_FILE && !stat(in->path, &st)
		&& !ims_store_has_size(r->s->store, (uint64_t)st.st_size, &has, NULL) && has;
}

static bool is_indexed(const prepare_request *r, const prepared *p)
{
	return r->has_content && !ims_hash_is_zero(&p->hash) && r->has_content(r->user, &p->hash);
}

static int decode_alone(const prepare_request *r, const imgsearch_input *in, const void *data,
	size_t size, prepared *out, float **input, imgsearch_error *err)
{
	int rc = r->single ? ims_handle_decoder_acquire(r->s, r->single, err) : 0;
	if (rc)
		return rc;
	rc = decode(r, in, data, size, out, input, err);
	if (r->single)
		ims_handle_decoder_release(r->s);
	return rc;
}

/* A picture that the index has needs no decoder: it stays where its format is not read any more. */
int ims_prepare(const prepare_request *r, const imgsearch_input *in, prepared *out, float **input,
	imgsearch_error *err)
{
	buf held = { 0 };
	const void *data;
	size_t size;
	imgsearch_error why = { 0 };
	*out = (prepared){ 0 };
	int rc = check_format(r, in, out, &why);
	int lacking = out->pixels & IMAGE_NO_CODEC && may_be_indexed(r, in) ? rc : 0;
	if (rc && !lacking && err)
		*err = why;
	if (!rc || lacking)
		rc = ims_input_bytes(in, &held, &data, &size, err);
	if (!rc)
		identify(in, data, size, out);
	bool indexed = !rc && is_indexed(r, out);
	if (!rc && lacking && !indexed) {
		rc = lacking;
		if (err)
			*err = why;
	}
	if (indexed)
		out->pixels = 0;
	if (!rc)
		rc = describe(r->s, in, data, size, out, err);
	if (!rc && !indexed)
		rc = decode_alone(r, in, data, size, out, input, err);
	ims_buf_free(&held);
	return rc;
}
