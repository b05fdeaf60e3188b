/*
 * Text towers: those of CLIP (Radford et al., "Learning transferable visual models from natural
 * language supervision", 2021) and of its kin, which give texts features in the space of pictures'.
 * All sizes but the number of heads are those of the tensors.
 */
#ifndef IMS_SHIM_WORDS_H
#define IMS_SHIM_WORDS_H

#include "shim/tower.h"

namespace ims
{

struct words_kind {
	act gelu = act::gelu;
	/*
	 * A token attends to none behind it, and the last one of the text is the feature. Otherwise all
	 * attend to all, and the last place of the context is the feature, whatever stands there.
	 */
	bool causal = true;
	double eps = 1e-5;
	int64_t heads = 0;            /* 0: one for 64 values */
	int64_t tanh_vocabulary = 0;  /* with so many tokens GELU is by tanh */
	bool has_bias = false;        /* of the projection */
	bool may_end_at_norm = false; /* without a projection in the file there is none */
};

class words : public tower
{
  public:
	explicit words(const words_kind &k);

	/*
	 * Tokens (n, context), of which used[i] are a text's, as features takes them. Throws INVALID
	 * where a token is not in 0..vocabulary - 1, or used[i] not in 1..context.
	 */
	at::Tensor input(const int32_t *tokens, const uint32_t *used, size_t n) const;

	/* (n, T) i64, a shorter text ends with -1; to (n, channels, 1, 1). */
	at::Tensor features(const at::Tensor &ids, std::vector<at::Tensor> *) override;

	/* After load. */
	int64_t context = 0, vocabulary = 0;

  protected:
	void convert(tensor_map &file) override;
	void measure(const tensor_map &file, misfit &wrong) override;
	at::Tensor attention(const at::Tensor &qkv) const override;

  private:
	const words_kind kind;
	lone_tensor *embedding = nullptr, *position = nullptr;
	norm *last = nullptr;
	conv *joint = nullptr; /* NULL: none */
};

/* NULL: the name is not one of the family. */
std::unique_ptr<words> clip_words(const std::string &name);
std::unique_ptr<words> perception_words(const std::string &name);
std::unique_ptr<words> siglip_words(const std::string &name);

/* The text tower beside the network of a name. Throws UNSUPPORTED where there is none. */
std::unique_ptr<words> make_words(const std::string &name);

} // namespace ims

#endif
