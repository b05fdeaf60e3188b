/*
 * Losses: cross entropy with label smoothing 0.1 (Szegedy et al. 2015), supervised contrastive
 * (Khosla et al. 2020, arXiv:2004.11362), ArcFace (Deng et al. 2018, arXiv:1801.07698), cosine and
 * relational distillation (Park et al. 2019, arXiv:1904.05068: the similarities of all pairs of a
 * batch).
 */
#include "shim/losses.h"

namespace ims
{
namespace
{

using at::Tensor;
namespace F = torch::nn::functional;

const double smoothing = 0.1, temperature = 0.1, margin = 0.3, sharpness = 24, pair_weight = 10;

Tensor unit(const Tensor &x)
{
	return F::normalize(x, F::NormalizeFuncOptions().dim(1));
}

batch_loss by_scores(const Tensor &scores, const Tensor &right, const Tensor &labels, double smooth)
{
	Tensor loss = F::cross_entropy(right, labels,
		F::CrossEntropyFuncOptions().label_smoothing(smooth));
	double hits = scores.argmax(1).eq(labels).sum().item<double>();
	return { loss, hits, (double)labels.size(0) };
}

batch_loss arcface(const Tensor &features, const Tensor &labels, const Tensor &centres)
{
	Tensor cosine = at::linear(unit(features), unit(centres)).clamp(-1 + 1e-6, 1 - 1e-6);
	Tensor own = cosine.gather(1, labels.unsqueeze(1));
	Tensor hard = (own.acos() + margin).clamp(0, M_PI).cos();
	return by_scores(cosine, cosine.scatter(1, labels.unsqueeze(1), hard) * sharpness, labels, 0);
}

/* A picture without another one of its class in the batch does not count. */
batch_loss contrastive(const Tensor &features, const Tensor &labels)
{
	Tensor z = unit(features), self = at::eye(z.size(0), z.options()).to(at::kBool);
	Tensor scores = at::mm(z, z.t()).div(temperature).masked_fill(self, -1e4);
	Tensor same = labels.unsqueeze(0).eq(labels.unsqueeze(1)).logical_and(self.logical_not());
	Tensor n = same.sum(1), counts = n > 0;
	double counted = counts.sum().item<double>();
	if (counted == 0)
		return { Tensor(), 0, 0 };
	Tensor each = -(at::log_softmax(scores, 1) * same).sum(1) / n.clamp_min(1);
	double hits =
		labels.index({ scores.argmax(1) }).eq(labels).logical_and(counts).sum().item<double>();
	return { each.sum() / counted, hits, counted };
}

} // namespace

batch_loss label_loss(uint32_t loss, const Tensor &features, const Tensor &labels,
	const Tensor &centres, const Tensor &bias)
{
	Tensor known = labels.ge(0).nonzero().squeeze(1);
	if (known.size(0) == 0)
		return { Tensor(), 0, 0 };
	Tensor x = features.index_select(0, known), y = labels.index_select(0, known);
	if (loss == SHIM_LOSS_SUPCON)
		return contrastive(x, y);
	if (loss == SHIM_LOSS_ARCFACE)
		return arcface(x, y, centres);
	Tensor scores = at::linear(x, centres, bias);
	return by_scores(scores, scores, y, smoothing);
}

batch_loss target_loss(const Tensor &features, const Tensor &targets, double relational)
{
	Tensor z = unit(features), t = unit(targets), cosine = (z * t).sum(1);
	Tensor loss = (1 - cosine).mean();
	if (relational > 0)
		loss = loss
			+ relational * pair_weight * (at::mm(z, z.t()) - at::mm(t, t.t())).square().mean();
	return { loss, cosine.sum().item<double>(), (double)cosine.size(0) };
}

} // namespace ims
