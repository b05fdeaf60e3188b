/*
 * An interpreter of the pickles of torch.save (protocols 2 to 5). A pickle is a program for a stack
 * machine, and Python's own reader lets it call anything. This one can only build numbers, texts,
 * lists, dicts and descriptions of tensors. The table `globals` lists the names that a pickle may
 * mention. Every other name is refused, and so is every opcode that torch.save does not use.
 * Sources: Lib/pickletools.py and torch/_utils.py.
 */
#include "model/pickle_node.h"

enum { MAX_MEMO = 1 << 21 };

static const global globals[] = {
	{ "collections", "OrderedDict", G_DICT, 0 },
	{ "torch._utils", "_rebuild_tensor_v2", G_TENSOR, 0 },
	{ "torch._utils", "_rebuild_parameter", G_PARAMETER, 0 },
	{ "torch", "Size", G_SIZE, 0 },
	{ "torch", "FloatStorage", G_STORAGE, SHIM_F32 },
	{ "torch", "HalfStorage", G_STORAGE, SHIM_F16 },
	{ "torch", "BFloat16Storage", G_STORAGE, SHIM_BF16 },
	{ "torch", "LongStorage", G_STORAGE, SHIM_I64 },
	{ "torch", "CharStorage", G_STORAGE, SHIM_I8 },
	/* types that no network uses: refused by name where a tensor has one */
	{ "torch", "DoubleStorage", G_STORAGE, 0 },
	{ "torch", "IntStorage", G_STORAGE, 0 },
	{ "torch", "ShortStorage", G_STORAGE, 0 },
	{ "torch", "ByteStorage", G_STORAGE, 0 },
	{ "torch", "BoolStorage", G_STORAGE, 0 },
};

/* --------------------------------------------------------------------------------- opcodes ---- */

/*
 * Replaces the values from a place on, and `drop` below them, by a list of them. Tuples are lists.
 */
static void make_list(pickle *p, uint32_t from, uint32_t drop)
{
	if (from == PICKLE_NOTHING || from > p->stack.len) {
		ims_pickle_fail(p, "too few values on the stack");
		return;
	}
	uint32_t list = ims_pickle_make(p, (node){ .kind = N_LIST });
	for (uint32_t i = from; i < p->stack.len && !p->failed; i++)
		ims_pickle_append(p, list, p->stack.item[i]);
	p->stack.len = from - drop;
	ims_pickle_push(p, list);
}

/* Appends the values above the mark, or the last `single`, to the list or dict below. */
static void add_items(pickle *p, node_kind kind, uint32_t single)
{
	uint32_t from = single ? p->stack.len - single : ims_pickle_above_mark(p),
			 drop = single ? 0 : 1;
	if (p->failed)
		return;
	if (p->stack.len < single || from < drop + 1
		|| !ims_pickle_node(p, p->stack.item[from - drop - 1], kind)) {
		ims_pickle_fail(p, "items for something that takes none");
		return;
	}
	if (kind == N_DICT && (p->stack.len - from) % 2) {
		ims_pickle_fail(p, "a key without a value");
		return;
	}
	for (uint32_t i = from; i < p->stack.len && !p->failed; i++)
		ims_pickle_append(p, p->stack.item[from - drop - 1], p->stack.item[i]);
	p->stack.len = from - drop;
}

static void push_text(pickle *p, uint64_t len)
{
	const char *text = len <= p->in->len ? ims_read_bytes(p->in, (size_t)len) : NULL;
	if (!text || len > UINT32_MAX / 2)
		ims_pickle_fail(p, "a text is cut off");
	else
		ims_pickle_push_new(p, (node){ .kind = N_TEXT, .len = (uint32_t)len, .text = text });
}

static void push_int(pickle *p, int64_t v)
{
	ims_pickle_push_new(p, (node){ .kind = N_INT, .integer = v });
}

/* Two's complement, little-endian; more than 64 bits are refused. */
static void push_long(pickle *p, uint8_t len)
{
	const uint8_t *b = ims_read_bytes(p->in, len);
	uint64_t v = 0;
	if (!b || len > 8) {
		ims_pickle_fail(p, "a number is cut off or too long");
		return;
	}
	for (uint8_t i = 0; i < len; i++)
		v |= (uint64_t)b[i] << 8 * i;
	if (len && len < 8 && b[len - 1] & 0x80)
		v |= ~0ull << 8 * len;
	push_int(p, (int64_t)v);
}

static void push_global(pickle *p, const char *module, size_t module_len, const char *name,
	size_t name_len)
{
	for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
		if (ims_pickle_same(module, module_len, globals[i].module)
			&& ims_pickle_same(name, name_len, globals[i].name)) {
			ims_pickle_push_new(p, (node){ .kind = N_GLOBAL, .global = &globals[i] });
			return;
		}
	if (!p->failed)
		p->failed = ims_fail(p->err, IMGSEARCH_EFORMAT,
			"refused: the pickle asks for %.*s.%.*s, which no state dict needs "
			"(save model.state_dict(), not the model)",
			(int)(module_len > 80 ? 80 : module_len), module, (int)(name_len > 80 ? 80 : name_len),
			name);
}

/* The bytes up to a newline, which is consumed. */
static const char *line(pickle *p, size_t *len)
{
	const char *start = (const char *)p->in->data + p->in->pos;
	const char *end = memchr(start, '\n', p->in->len - p->in->pos);
	if (!end) {
		ims_pickle_fail(p, "a name is cut off");
		return NULL;
	}
	*len = (size_t)(end - start);
	p->in->pos += *len + 1;
	return start;
}

static void op_global(pickle *p)
{
	size_t module_len, name_len;
	const char *module = line(p, &module_len), *name = module ? line(p, &name_len) : NULL;
	if (name)
		push_global(p, module, module_len, name, name_len);
}

static void op_stack_global(pickle *p)
{
	uint32_t name = ims_pickle_pop(p), module = ims_pickle_pop(p);
	const node *n = ims_pickle_node(p, name, N_TEXT), *m = ims_pickle_node(p, module, N_TEXT);
	if (n && m)
		push_global(p, m->text, m->len, n->text, n->len);
	else
		ims_pickle_fail(p, "a name that is no text");
}

/* ("storage", type, key, location, numel[, view]) */
static void op_persistent(pickle *p)
{
	const node *t = ims_pickle_node(p, ims_pickle_pop(p), N_LIST), *type;
	if (!t || t->len < 5 || !ims_pickle_node(p, t->item[0], N_TEXT)
		|| !ims_pickle_same(p->node[t->item[0]].text, p->node[t->item[0]].len, "storage")
		|| !(type = ims_pickle_node(p, t->item[1], N_GLOBAL)) || type->global->kind != G_STORAGE
		|| !ims_pickle_node(p, t->item[2], N_TEXT) || !ims_pickle_node(p, t->item[4], N_INT))
		ims_pickle_fail(p, "a reference to something that is no storage");
	else if (t->len > 5 && !ims_pickle_node(p, t->item[5], N_NONE))
		ims_pickle_fail(p, "a view of a storage, which only very old files have");
	else
		ims_pickle_push_new(p, (node){ .kind = N_STORAGE, .type = t->item[1], .key = t->item[2] });
}

static void op_reduce(pickle *p)
{
	uint32_t args = ims_pickle_pop(p), callee = ims_pickle_pop(p);
	const node *a = ims_pickle_node(p, args, N_LIST), *g = ims_pickle_node(p, callee, N_GLOBAL);
	if (!a || !g) {
		ims_pickle_fail(p, "a call of something that cannot be called");
		return;
	}
	switch (g->global->kind) {
	case G_DICT:
		if (!a->len
			|| (a->len == 1 && ims_pickle_node(p, a->item[0], N_LIST) && !p->node[a->item[0]].len))
			ims_pickle_push_new(p, (node){ .kind = N_DICT });
		else
			ims_pickle_fail(p, "OrderedDict with arguments");
		break;
	case G_TENSOR:
		if (a->len >= 4 && ims_pickle_node(p, a->item[0], N_STORAGE)
			&& ims_pickle_node(p, a->item[1], N_INT) && ims_pickle_node(p, a->item[2], N_LIST)
			&& ims_pickle_node(p, a->item[3], N_LIST))
			ims_pickle_push_new(p, (node){ .kind = N_TENSOR, .storage = a->item[0], .args = args });
		else
			ims_pickle_fail(p, "a tensor with the wrong arguments");
		break;
	case G_PARAMETER:
	case G_SIZE:
		if (a->len
			&& (ims_pickle_node(p, a->item[0], N_TENSOR) || ims_pickle_node(p, a->item[0], N_LIST)))
			ims_pickle_push(p, a->item[0]);
		else
			ims_pickle_fail(p, "a parameter that is no tensor");
		break;
	case G_STORAGE:
		ims_pickle_fail(p, "a storage inside the pickle");
	}
}

/* Skips the attributes of an OrderedDict, which do not concern the weights. */
static void op_build(pickle *p)
{
	ims_pickle_pop(p);
	uint32_t object = ims_pickle_top(p);
	if (!p->failed && !ims_pickle_node(p, object, N_DICT))
		ims_pickle_fail(p, "state for something that is no dict");
}

static void remember(pickle *p, uint32_t at)
{
	uint32_t value = ims_pickle_top(p);
	if (at >= MAX_MEMO)
		ims_pickle_fail(p, "a memo number beyond any state dict's");
	while (!p->failed && p->memo.len <= at)
		ims_pickle_put(p, &p->memo, PICKLE_NOTHING);
	if (!p->failed)
		p->memo.item[at] = value;
}

static void recall(pickle *p, uint32_t at)
{
	if (at >= p->memo.len || p->memo.item[at] == PICKLE_NOTHING)
		ims_pickle_fail(p, "a memo number that was never set");
	else
		ims_pickle_push(p, p->memo.item[at]);
}

static uint16_t read_u16(reader *r)
{
	uint16_t low = ims_read_u8(r);
	return (uint16_t)(low | ims_read_u8(r) << 8);
}

static void refuse_opcode(pickle *p, uint8_t op)
{
	if (!p->failed)
		p->failed = ims_fail(p->err, IMGSEARCH_EFORMAT,
			"refused: pickle opcode 0x%02x at byte %zu, which no state dict needs", op,
			p->in->pos - 1);
}

/*
 * The opcodes that torch.save uses, in groups. Each function runs an opcode of its group. False: it
 * is not one of these, and nothing is read or changed.
 */

static bool number_opcode(pickle *p, uint8_t op)
{
	reader *r = p->in;
	switch (op) {
	case 'N':
		ims_pickle_push_new(p, (node){ .kind = N_NONE });
		return true;
	case 0x88:
	case 0x89:
		ims_pickle_push_new(p, (node){ .kind = N_BOOL, .integer = op == 0x88 });
		return true;
	case 'K':
		push_int(p, ims_read_u8(r));
		return true;
	case 'M':
		push_int(p, read_u16(r));
		return true;
	case 'J':
		push_int(p, (int32_t)ims_read_u32(r));
		return true;
	case 0x8a:
		push_long(p, ims_read_u8(r));
		return true;
	case 'G':
		ims_read_u64(r);
		ims_pickle_push_new(p, (node){ .kind = N_FLOAT });
		return true;
	default:
		return false;
	}
}

static bool text_opcode(pickle *p, uint8_t op)
{
	switch (op) {
	case 'X':
	case 'T':
		push_text(p, ims_read_u32(p->in));
		return true;
	case 'U':
	case 0x8c:
		push_text(p, ims_read_u8(p->in));
		return true;
	default:
		return false;
	}
}

/* Containers: empty ones, ones of the values on the stack, values added to them. */
static bool container_opcode(pickle *p, uint8_t op)
{
	switch (op) {
	case ')':
	case ']':
		ims_pickle_push_new(p, (node){ .kind = N_LIST });
		return true;
	case '}':
		ims_pickle_push_new(p, (node){ .kind = N_DICT });
		return true;
	case 't':
		make_list(p, ims_pickle_above_mark(p), 1);
		return true;
	case 0x85:
	case 0x86:
	case 0x87:
		make_list(p, p->stack.len - (op - 0x84u), 0);
		return true;
	case 'a':
	case 'e':
		add_items(p, N_LIST, op == 'a' ? 1 : 0);
		return true;
	case 's':
	case 'u':
		add_items(p, N_DICT, op == 's' ? 2 : 0);
		return true;
	default:
		return false;
	}
}

static bool memo_opcode(pickle *p, uint8_t op)
{
	reader *r = p->in;
	switch (op) {
	case 'q':
		remember(p, ims_read_u8(r));
		return true;
	case 'r':
		remember(p, ims_read_u32(r));
		return true;
	case 0x94:
		remember(p, p->memo.len);
		return true;
	case 'h':
		recall(p, ims_read_u8(r));
		return true;
	case 'j':
		recall(p, ims_read_u32(r));
		return true;
	default:
		return false;
	}
}

/* What Python would call or look up: names, persistent ids, objects. */
static bool object_opcode(pickle *p, uint8_t op)
{
	switch (op) {
	case 'c':
		op_global(p);
		return true;
	case 0x93:
		op_stack_global(p);
		return true;
	case 'Q':
		op_persistent(p);
		return true;
	case 'R':
		op_reduce(p);
		return true;
	case 'b':
		op_build(p);
		return true;
	default:
		return false;
	}
}

/* Protocol, frame, mark, pop. */
static bool machine_opcode(pickle *p, uint8_t op)
{
	switch (op) {
	case 0x80:
		ims_read_u8(p->in);
		return true;
	case 0x95:
		ims_read_u64(p->in);
		return true;
	case '(':
		ims_pickle_push_new(p, (node){ .kind = N_MARK });
		return true;
	case '0':
		ims_pickle_pop(p);
		return true;
	default:
		return false;
	}
}

static void run_opcode(pickle *p, uint8_t op)
{
	bool done = number_opcode(p, op) || text_opcode(p, op) || container_opcode(p, op)
		|| memo_opcode(p, op) || object_opcode(p, op) || machine_opcode(p, op);
	if (!done)
		refuse_opcode(p, op);
}

int ims_pickle_run(pickle *p, reader *r, imgsearch_error *err)
{
	ims_pickle_reset(p);
	p->in = r;
	p->err = err;
	while (!p->failed) {
		uint8_t op = ims_read_u8(r);
		if (r->failed) {
			ims_pickle_fail(p, "it is cut off");
		} else if (op == '.') {
			if (p->stack.len != 1)
				ims_pickle_fail(p, "it ends with the wrong number of values");
			break;
		} else {
			run_opcode(p, op);
		}
	}
	if (!p->failed && r->failed)
		ims_pickle_fail(p, "it is cut off");
	return p->failed;
}
