/* The image tower: patches, positions, registers, the attention that pools. */
#include "shim/tower.h"

#include <algorithm>
#include <cmath>

namespace ims
{
namespace
{

/* A learned token that attends to all others, behind the last norm, with an MLP of its own. */
struct pool {
	lone_tensor *latent;
	conv *q, *kv, *projection, *widen, *narrow;
	norm *before_mlp;
};

/* ------------------------------------------------------------------------ rotary positions ---- */

/* The places of a grid's patches along both axes, in rows: (side * side), (side * side). */
std::pair<at::Tensor, at::Tensor> places(const at::Tensor &axis)
{
	int64_t side = axis.size(0);
	return { axis.unsqueeze(1).expand({ side, side }).flatten(),
		axis.unsqueeze(0).expand({ side, side }).flatten() };
}

at::Tensor steps(int64_t n)
{
	return at::arange(n, at::TensorOptions(at::kFloat));
}

/* Centres of patches in -1..1 as the share of a period; vertical, horizontal; twice. */
at::Tensor halves_angles(int64_t side, const at::Tensor &periods)
{
	auto [down, across] = places((steps(side) + 0.5) / side * 2 - 1);
	at::Tensor both = at::stack({ down, across }, 1).unsqueeze(2) * (2 * M_PI) / periods;
	return both.flatten(1).repeat({ 1, 2 });
}

/* Patches counted from 1; horizontal, vertical; each value twice. */
at::Tensor pairs_angles(int64_t side, int64_t head)
{
	int64_t n = head / 4;
	at::Tensor frequencies = at::pow(10000, steps(n) / (double)-n);
	auto [down, across] = places(steps(side) + 1);
	at::Tensor both = at::stack({ across, down }, 1).unsqueeze(2) * frequencies;
	return both.flatten(1).repeat_interleave(2, 1);
}

/* The values that stand at a right angle to x. */
at::Tensor turned(const at::Tensor &x, rotation r)
{
	if (r == rotation::halves) {
		std::vector<at::Tensor> half = x.chunk(2, 3);
		return at::cat({ half[1].neg(), half[0] }, 3);
	}
	at::Tensor pairs = x.reshape({ x.size(0), x.size(1), x.size(2), x.size(3) / 2, 2 });
	return at::stack({ pairs.select(4, 1).neg(), pairs.select(4, 0) }, 4).flatten(3);
}

class transformer : public tower
{
  public:
	transformer(const transformer_kind &k, const transformer_layout &l) : tower(k, l), any(!k.width)
	{
		if (!any)
			declare();
	}

	bool takes_any_shape() const override
	{
		return any;
	}

	void set_side(int64_t side) override
	{
		const transformer_kind &k = shape_of;
		int64_t grid = side / k.patch, below = grid * k.patch;
		if (!grid || (below != side && !k.cuts))
			throw failure(MODEL,
				"the crop, " + std::to_string(side) + ", is no multiple of the patch, "
					+ std::to_string(k.patch) + "; the next ones are " + std::to_string(below)
					+ " and " + std::to_string(below + k.patch));
		if (position && grid != k.grid)
			position->value = resized(position->value.to(at::kFloat), grid);
		at::Tensor angles;
		if (k.turns == rotation::halves)
			angles = halves_angles(grid, periods.defined() ? periods : own_periods());
		if (k.turns == rotation::pairs)
			angles = pairs_angles(grid, k.width / heads);
		if (angles.defined()) {
			cosine = angles.cos();
			sine = angles.sin();
		}
	}

	at::Tensor features(const at::Tensor &input, std::vector<at::Tensor> *) override
	{
		at::Tensor x = as_maps(tokens_of(input));
		if (first)
			x = (*first)(x);
		x = run_blocks(x);
		bool patches = pooling && pooling != SHIM_POOLING_CLASS;
		int64_t before = shape_of.has_class + shape_of.registers;
		if (patches)
			return (*last)(x.narrow(2, before, x.size(2) - before));
		at::Tensor y = (*last)(shape_of.pool_heads ? x : x.narrow(2, 0, 1));
		if (shape_of.pool_heads)
			y = attention_pool(y);
		return joint ? (*joint)(y) : y;
	}

  protected:
	/* Behind a projection or an attention that pools there is only the network's own. */
	std::vector<uint32_t> poolings() const override
	{
		std::vector<uint32_t> list = network::poolings();
		list.push_back(SHIM_POOLING_CLASS);
		return joint || shape_of.pool_heads ? std::vector<uint32_t>{} : list;
	}

	void convert(tensor_map &file) override
	{
		tower::convert(file);
		split_pool(file);
		for (const char *name : { names.cls, names.positions, names.pool.latent })
			fill_dimensions(file, name);
		auto found = file.find(names.turned_joint);
		if (found != file.end() && found->second->ndim == 2) {
			file[names.joint] = make_tensor(borrow(*found->second).t());
			file.erase(found);
		}
		found = file.find(names.periods);
		if (found != file.end() && found->second->ndim == 1
			&& found->second->shape[0] == own_periods().numel()) {
			periods = borrow(*found->second).to(at::kFloat, false, true);
			file.erase(found);
		}
	}

	void measure(const tensor_map &file, misfit &wrong) override
	{
		transformer_kind &k = shape_of;
		if (!any)
			return;
		const std::string weight = std::string(names.patch) + ".weight";
		k.width = extent(file, weight, 0);
		k.patch = std::max<int64_t>(extent(file, weight, 2), 1);
		int64_t patches = extent(file, names.positions, 1) - k.has_class;
		k.grid = (int64_t)std::sqrt((double)std::max<int64_t>(patches, 1));
		k.joint = std::max<int64_t>(extent(file, names.joint, 1), 1);
		measure_blocks(file, weight, wrong);
		declare();
	}

  private:
	/* ------------------------------------------------------------------------- layers ---- */

	void declare()
	{
		const transformer_kind &k = shape_of;
		const transformer_layout &l = names;
		channels = k.width;
		cls = k.has_class ? add_tensor(l.cls, { 1, 1, k.width }) : nullptr;
		position = k.grid ? add_tensor(l.positions, { 1, k.has_class + k.grid * k.grid, k.width })
						  : nullptr;
		registers = k.registers ? add_tensor(l.registers, { 1, k.registers, k.width }) : nullptr;
		shape cut{ 3, k.width, k.patch, k.patch };
		cut.pad = padding::none;
		cut.has_bias = !*l.first_norm;
		patch = unit(l.patch, "", cut, act::none);
		first = *l.first_norm ? layer_norm(l.first_norm) : nullptr;
		add_blocks();
		last = layer_norm(l.last);
		if (k.pool_heads)
			add_pool();
		if (k.joint)
			add_joint();
	}

	void add_pool()
	{
		const pool_layout &l = names.pool;
		int64_t width = shape_of.width, hidden = shape_of.hidden ? shape_of.hidden : 4 * width;
		head.latent = add_tensor(l.latent, { 1, 1, width });
		head.q = linear(l.q, width, width);
		head.kv = linear(l.kv, width, 2 * width);
		head.projection = linear(l.projection, width, width);
		head.before_mlp = layer_norm(l.norm);
		head.widen = linear(l.widen, width, hidden, shape_of.gelu);
		head.narrow = linear(l.narrow, hidden, width);
	}

	void add_joint()
	{
		shape s{ shape_of.width, shape_of.joint };
		s.transposed = true;
		s.has_bias = false;
		joint = unit(names.joint, "", s, act::none);
		joint->weight_suffix = "";
		channels = shape_of.joint;
	}

	/* ---------------------------------------------------------------------- execution ---- */

	at::Tensor tokens_of(const at::Tensor &input)
	{
		int64_t n = input.size(0), width = shape_of.width;
		at::Tensor tokens = (*patch)(input).permute({ 0, 2, 3, 1 }).reshape({ n, -1, width });
		if (cls)
			tokens = at::cat({ cls->value.expand({ n, 1, width }), tokens }, 1);
		if (position)
			tokens = tokens + position->value;
		if (!registers)
			return tokens;
		return at::cat({ tokens.narrow(1, 0, 1),
						   registers->value.expand({ n, shape_of.registers, width }),
						   tokens.narrow(1, 1, tokens.size(1) - 1) },
			1);
	}

	at::Tensor attention(const at::Tensor &qkv) const override
	{
		at::Tensor parts = split_heads(qkv, 3, heads);
		return join_heads(attend(rotated(parts[0]), rotated(parts[1]), parts[2]));
	}

	/* Queries or keys (n, heads, T, d), of which the last ones are the patches'; turned in f32. */
	at::Tensor rotated(const at::Tensor &x) const
	{
		if (!cosine.defined())
			return x;
		int64_t patches = cosine.size(0), before = x.size(2) - patches;
		at::Tensor y = x.narrow(2, before, patches).to(at::kFloat);
		y = y * cosine.to(x.device()) + turned(y, shape_of.turns) * sine.to(x.device());
		return at::cat({ x.narrow(2, 0, before), y.to(x.scalar_type()) }, 2);
	}

	at::Tensor attention_pool(const at::Tensor &x) const
	{
		int64_t count = shape_of.pool_heads;
		at::Tensor q = split_heads((*head.q)(as_maps(head.latent->value)), 1, count)[0],
				   kv = split_heads((*head.kv)(x), 2, count);
		q = q.expand({ x.size(0), -1, -1, -1 });
		at::Tensor y = (*head.projection)(join_heads(attend(q, kv[0], kv[1])));
		return (*head.narrow)((*head.widen)((*head.before_mlp)(y)), &y);
	}

	/* ---------------------------------------------------------------------- positions ---- */

	/* The positions of a grid of `side` patches. */
	at::Tensor resized(const at::Tensor &all, int64_t side) const
	{
		int64_t grid = shape_of.grid, width = shape_of.width, classes = shape_of.has_class;
		at::Tensor maps = all.narrow(1, classes, grid * grid)
							  .reshape({ 1, grid, grid, width })
							  .permute({ 0, 3, 1, 2 })
							  .contiguous();
		maps = resized_maps(maps, side, ((double)side + 0.1) / (double)grid);
		at::Tensor rows = maps.permute({ 0, 2, 3, 1 }).reshape({ 1, side * side, width });
		return at::cat({ all.narrow(1, 0, classes), rows }, 1);
	}

	at::Tensor resized_maps(const at::Tensor &maps, int64_t side, double factor) const
	{
		switch (shape_of.mode) {
		case positions::corners:
			return at::upsample_bicubic2d(maps, { side, side }, true);
		case positions::offset:
			return at::upsample_bicubic2d(maps, { side, side }, false, factor, factor);
		case positions::antialias:
			return at::_upsample_bicubic2d_aa(maps, { side, side }, false);
		case positions::bilinear:
			return at::upsample_bilinear2d(maps, { side, side }, false);
		case positions::bilinear_corners:
			return at::upsample_bilinear2d(maps, { side, side }, true);
		}
		return maps;
	}

	/* From 1 up to a base of 100. */
	at::Tensor own_periods() const
	{
		int64_t n = shape_of.width / heads / 4;
		return at::pow(100, steps(n) / (double)n);
	}

	/* ------------------------------------------------------------------ other layouts ---- */

	/* The query and the rest of the attention that pools, of one tensor with all three. */
	void split_pool(tensor_map &file)
	{
		const int64_t width = shape_of.width;
		for (const char *end : { "weight", "bias" }) {
			auto found = *names.pool.whole ? file.find(std::string(names.pool.whole) + end)
										   : file.end();
			if (found == file.end())
				continue;
			at::Tensor all = borrow(*found->second);
			if (!all.dim() || all.size(0) != 3 * width)
				continue;
			file.erase(found);
			file[std::string(names.pool.q) + "." + end] = make_tensor(all.narrow(0, 0, width));
			file[std::string(names.pool.kv) + "." + end] = make_tensor(
				all.narrow(0, width, 2 * width));
		}
	}

	/* Where (D) or (T, D) stand for (1, 1, D) or (1, T, D). */
	void fill_dimensions(tensor_map &file, const std::string &name)
	{
		auto found = file.find(name);
		if (name.empty() || found == file.end() || found->second->ndim > 2)
			return;
		at::Tensor t = borrow(*found->second);
		while (t.dim() < 3)
			t = t.unsqueeze(0);
		found->second = make_tensor(t);
	}

	const bool any;                                                        /* takes_any_shape */
	lone_tensor *cls = nullptr, *position = nullptr, *registers = nullptr; /* NULL: none */
	conv *patch = nullptr, *joint = nullptr;                               /* joint: NULL: none */
	norm *first = nullptr, *last = nullptr;                                /* first: NULL: none */
	pool head = {};          /* only with pool_heads */
	at::Tensor periods;      /* those of the file; or undefined */
	at::Tensor cosine, sine; /* (patches, d) f32; undefined: no rotation */
};

} // namespace

std::unique_ptr<network> make_transformer(const transformer_kind &k, const transformer_layout &l)
{
	return std::make_unique<transformer>(k, l);
}

} // namespace ims
