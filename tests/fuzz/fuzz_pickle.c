/*
 * The pickle interpreter by itself, so that no container stands between the fuzzer and the opcodes.
 */
#include "model/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int touch(void *user, const pickle_tensor *t, imgsearch_error *err)
{
	volatile uint8_t *sum = user;
	(void)err;
	for (size_t i = 0; i < t->key_len; i++)
		*sum ^= (uint8_t)t->key[i];
	for (size_t i = 0; i < t->view.name_len; i++)
		*sum ^= (uint8_t)t->view.name[i];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	reader in = { data, size, 0, false };
	pickle *p;
	uint8_t sum = 0;
	if (ims_pickle_new(&p, NULL))
		return 0;
	while (ims_pickle_run(p, &in, NULL) == 0)
		ims_pickle_tensors(p, touch, &sum, NULL);
	ims_pickle_free(p);
	return 0;
}
