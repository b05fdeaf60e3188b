# bash completion for imgsearch; written by: imgsearch complete bash
_imgsearch() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]} options= operands=
	local IFS=$'\n'
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(IFS=' '; compgen -W "index query info list failed rm readmit backup copy export build extract model root shard vectors eval check dups map train serve help complete --version --help" -- "$cur"))
		return
	fi
	case $cmd in
	model)
		if [ "$COMP_CWORD" -eq 2 ]; then
			COMPREPLY=($(IFS=' '; compgen -W "list info pull add verify rm switch drop" -- "$cur"))
			return
		fi
		cmd="$cmd ${COMP_WORDS[2]}" ;;
	root)
		if [ "$COMP_CWORD" -eq 2 ]; then
			COMPREPLY=($(IFS=' '; compgen -W "mv" -- "$cur"))
			return
		fi
		cmd="$cmd ${COMP_WORDS[2]}" ;;
	shard)
		if [ "$COMP_CWORD" -eq 2 ]; then
			COMPREPLY=($(IFS=' '; compgen -W "list add move" -- "$cur"))
			return
		fi
		cmd="$cmd ${COMP_WORDS[2]}" ;;
	vectors)
		if [ "$COMP_CWORD" -eq 2 ]; then
			COMPREPLY=($(IFS=' '; compgen -W "import export" -- "$cur"))
			return
		fi
		cmd="$cmd ${COMP_WORDS[2]}" ;;
	esac
	case "$cmd $prev" in
	"index --exclude"|"index -x") return ;;
	"index --include"|"index -i") return ;;
	"index --formats") return ;;
	"index --add-model") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"index --csv") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"index --key") return ;;
	"index --title") return ;;
	"index --db"|"index -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"index --root") return ;;
	"index --max-stale") return ;;
	"index --model"|"index -m") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"index --weights"|"index -w") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"index --device") return ;;
	"index --precision") COMPREPLY=($(IFS=' '; compgen -W "auto f32 bf16" -- "$cur")); return ;;
	"index --resize") return ;;
	"index --crop") return ;;
	"index --crops") return ;;
	"index --pooling") COMPREPLY=($(IFS=' '; compgen -W "default mean max gem class" -- "$cur")); return ;;
	"index --mean") return ;;
	"index --std") return ;;
	"index --interpolation") COMPREPLY=($(IFS=' '; compgen -W "default bilinear bicubic" -- "$cur")); return ;;
	"index --max-megapixels") return ;;
	"index --max-memory") return ;;
	"index --threads"|"index -t") return ;;
	"query --k"|"query -k") return ;;
	"query --min-score") return ;;
	"query --max-chance") return ;;
	"query --under"|"query -u") COMPREPLY=($(compgen -d -- "$cur")); return ;;
	"query --after") return ;;
	"query --before") return ;;
	"query --camera") return ;;
	"query --keyword") return ;;
	"query --near") return ;;
	"query --where") return ;;
	"query --crop") return ;;
	"query --text") return ;;
	"query --weight") return ;;
	"query --template") return ;;
	"query --html") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"query --sheet") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"query --searcher"|"query -s") COMPREPLY=($(IFS=' '; compgen -W "exact kdtree pca graph pgvector scan" -- "$cur")); return ;;
	"query --recall") return ;;
	"query --ef") return ;;
	"query --checks") return ;;
	"query --epsilon") return ;;
	"query --expand") return ;;
	"query --expand-power") return ;;
	"query --reciprocal") return ;;
	"query --views") return ;;
	"query --vectors") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"query --ids") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"query --distances") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"query --batch") return ;;
	"query --db"|"query -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"query --root") return ;;
	"query --max-stale") return ;;
	"query --model"|"query -m") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"query --weights"|"query -w") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"query --device") return ;;
	"query --precision") COMPREPLY=($(IFS=' '; compgen -W "auto f32 bf16" -- "$cur")); return ;;
	"query --formats") return ;;
	"query --threads"|"query -t") return ;;
	"info --db"|"info -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"info --root") return ;;
	"info --max-stale") return ;;
	"list --state") COMPREPLY=($(IFS=' '; compgen -W "all indexed duplicate unsupported damaged too-big excluded unreadable kept-out link" -- "$cur")); return ;;
	"list --sort") COMPREPLY=($(IFS=' '; compgen -W "path date rating id" -- "$cur")); return ;;
	"list --limit") return ;;
	"list --offset") return ;;
	"list --after") return ;;
	"list --before") return ;;
	"list --camera") return ;;
	"list --keyword") return ;;
	"list --near") return ;;
	"list --where") return ;;
	"list --db"|"list -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"list --root") return ;;
	"list --max-stale") return ;;
	"failed --db"|"failed -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"failed --root") return ;;
	"failed --max-stale") return ;;
	"rm --db"|"rm -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"rm --root") return ;;
	"rm --max-stale") return ;;
	"readmit --db"|"readmit -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"readmit --root") return ;;
	"readmit --max-stale") return ;;
	"backup --db"|"backup -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"backup --root") return ;;
	"backup --max-stale") return ;;
	"export --db"|"export -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"export --root") return ;;
	"export --max-stale") return ;;
	"export --model"|"export -m") return ;;
	"build --searcher"|"build -s") COMPREPLY=($(IFS=' '; compgen -W "auto exact kdtree pca graph pgvector" -- "$cur")); return ;;
	"build --variance") return ;;
	"build --components") return ;;
	"build --degree") return ;;
	"build --beam") return ;;
	"build --seed") return ;;
	"build --db"|"build -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"build --root") return ;;
	"build --max-stale") return ;;
	"build --model"|"build -m") return ;;
	"build --threads"|"build -t") return ;;
	"extract --output"|"extract -o") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"extract --text") return ;;
	"extract --template") return ;;
	"extract --db"|"extract -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"extract --root") return ;;
	"extract --max-stale") return ;;
	"extract --model"|"extract -m") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"extract --weights"|"extract -w") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"extract --device") return ;;
	"extract --precision") COMPREPLY=($(IFS=' '; compgen -W "auto f32 bf16" -- "$cur")); return ;;
	"extract --formats") return ;;
	"extract --resize") return ;;
	"extract --crop") return ;;
	"extract --crops") return ;;
	"extract --pooling") COMPREPLY=($(IFS=' '; compgen -W "default mean max gem class" -- "$cur")); return ;;
	"extract --mean") return ;;
	"extract --std") return ;;
	"extract --interpolation") COMPREPLY=($(IFS=' '; compgen -W "default bilinear bicubic" -- "$cur")); return ;;
	"extract --max-megapixels") return ;;
	"extract --max-memory") return ;;
	"extract --threads"|"extract -t") return ;;
	"model pull --from") return ;;
	"model pull --timeout") return ;;
	"model add --name"|"model add -n") return ;;
	"model add --network") return ;;
	"model add --licence") return ;;
	"model add --good-at") return ;;
	"model add --resize") return ;;
	"model add --crop") return ;;
	"model add --crops") return ;;
	"model add --pooling") COMPREPLY=($(IFS=' '; compgen -W "default mean max gem class" -- "$cur")); return ;;
	"model add --mean") return ;;
	"model add --std") return ;;
	"model add --interpolation") COMPREPLY=($(IFS=' '; compgen -W "default bilinear bicubic" -- "$cur")); return ;;
	"model switch --db"|"model switch -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"model switch --root") return ;;
	"model switch --max-stale") return ;;
	"model drop --db"|"model drop -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"model drop --root") return ;;
	"model drop --max-stale") return ;;
	"root mv --db"|"root mv -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"root mv --root") return ;;
	"root mv --max-stale") return ;;
	"shard list --db"|"shard list -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"shard list --root") return ;;
	"shard list --max-stale") return ;;
	"shard add --db"|"shard add -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"shard add --root") return ;;
	"shard add --max-stale") return ;;
	"shard move --from") return ;;
	"shard move --to") return ;;
	"shard move --buckets") return ;;
	"shard move --db"|"shard move -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"shard move --root") return ;;
	"shard move --max-stale") return ;;
	"vectors import --ids") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"vectors import --metric") COMPREPLY=($(IFS=' '; compgen -W "cosine l2 ip" -- "$cur")); return ;;
	"vectors import --db"|"vectors import -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"vectors import --root") return ;;
	"vectors import --max-stale") return ;;
	"vectors import --threads"|"vectors import -t") return ;;
	"vectors export --ids") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"vectors export --db"|"vectors export -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"vectors export --root") return ;;
	"vectors export --max-stale") return ;;
	"vectors export --model"|"vectors export -m") return ;;
	"eval --queries") COMPREPLY=($(compgen -d -- "$cur")); return ;;
	"eval --truth") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"eval --text") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"eval --template") return ;;
	"eval --duplicates") return ;;
	"eval --sample") return ;;
	"eval --threshold") return ;;
	"eval --whiten") return ;;
	"eval --under"|"eval -u") COMPREPLY=($(compgen -d -- "$cur")); return ;;
	"eval --after") return ;;
	"eval --before") return ;;
	"eval --camera") return ;;
	"eval --keyword") return ;;
	"eval --near") return ;;
	"eval --where") return ;;
	"eval --expand") return ;;
	"eval --expand-power") return ;;
	"eval --reciprocal") return ;;
	"eval --views") return ;;
	"eval --seed") return ;;
	"eval --db"|"eval -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"eval --root") return ;;
	"eval --max-stale") return ;;
	"eval --model"|"eval -m") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"eval --weights"|"eval -w") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"eval --device") return ;;
	"eval --precision") COMPREPLY=($(IFS=' '; compgen -W "auto f32 bf16" -- "$cur")); return ;;
	"eval --formats") return ;;
	"eval --threads"|"eval -t") return ;;
	"check --recall") return ;;
	"check --db"|"check -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"check --root") return ;;
	"check --max-stale") return ;;
	"dups --kind") COMPREPLY=($(IFS=' '; compgen -W "bytes picture scene" -- "$cur")); return ;;
	"dups --min-score") return ;;
	"dups --under"|"dups -u") COMPREPLY=($(compgen -d -- "$cur")); return ;;
	"dups --after") return ;;
	"dups --before") return ;;
	"dups --camera") return ;;
	"dups --keyword") return ;;
	"dups --near") return ;;
	"dups --where") return ;;
	"dups --db"|"dups -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"dups --root") return ;;
	"dups --max-stale") return ;;
	"dups --model"|"dups -m") return ;;
	"dups --threads"|"dups -t") return ;;
	"map --output"|"map -o") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"map --size") return ;;
	"map --under"|"map -u") COMPREPLY=($(compgen -d -- "$cur")); return ;;
	"map --after") return ;;
	"map --before") return ;;
	"map --camera") return ;;
	"map --keyword") return ;;
	"map --near") return ;;
	"map --where") return ;;
	"map --perplexity") return ;;
	"map --max-points") return ;;
	"map --seed") return ;;
	"map --db"|"map -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"map --root") return ;;
	"map --max-stale") return ;;
	"map --model"|"map -m") return ;;
	"map --threads"|"map -t") return ;;
	"train --out"|"train -o") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"train --distill") return ;;
	"train --loss") COMPREPLY=($(IFS=' '; compgen -W "ce supcon arcface" -- "$cur")); return ;;
	"train --layers") return ;;
	"train --size") return ;;
	"train --dim") return ;;
	"train --inner") return ;;
	"train --power") return ;;
	"train --epochs") return ;;
	"train --steps") return ;;
	"train --batch") return ;;
	"train --lr") return ;;
	"train --val") return ;;
	"train --holdout") return ;;
	"train --patience") return ;;
	"train --min-crop") return ;;
	"train --jitter") return ;;
	"train --anchor") return ;;
	"train --blend") return ;;
	"train --decay") return ;;
	"train --views") return ;;
	"train --teach") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"train --together") return ;;
	"train --probabilities") return ;;
	"train --own") return ;;
	"train --relational") return ;;
	"train --labels") return ;;
	"train --whiten") return ;;
	"train --seed") return ;;
	"train --name") return ;;
	"train --descent") return ;;
	"train --licence") return ;;
	"train --note") return ;;
	"train --model"|"train -m") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"train --weights"|"train -w") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"train --device") return ;;
	"train --precision") COMPREPLY=($(IFS=' '; compgen -W "auto f32 bf16" -- "$cur")); return ;;
	"train --formats") return ;;
	"train --resize") return ;;
	"train --crop") return ;;
	"train --crops") return ;;
	"train --pooling") COMPREPLY=($(IFS=' '; compgen -W "default mean max gem class" -- "$cur")); return ;;
	"train --mean") return ;;
	"train --std") return ;;
	"train --interpolation") COMPREPLY=($(IFS=' '; compgen -W "default bilinear bicubic" -- "$cur")); return ;;
	"train --max-megapixels") return ;;
	"train --max-memory") return ;;
	"train --threads"|"train -t") return ;;
	"serve --port"|"serve -p") return ;;
	"serve --listen") return ;;
	"serve --token-file") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"serve --host") return ;;
	"serve --origin") return ;;
	"serve --proxy") return ;;
	"serve --socket") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"serve --uploads") COMPREPLY=($(compgen -d -- "$cur")); return ;;
	"serve --cache") COMPREPLY=($(compgen -d -- "$cur")); return ;;
	"serve --cache-size") return ;;
	"serve --max-upload") return ;;
	"serve --access-log") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"serve --db"|"serve -d") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"serve --root") return ;;
	"serve --max-stale") return ;;
	"serve --model"|"serve -m") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"serve --weights"|"serve -w") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"serve --device") return ;;
	"serve --precision") COMPREPLY=($(IFS=' '; compgen -W "auto f32 bf16" -- "$cur")); return ;;
	"serve --formats") return ;;
	"serve --threads"|"serve -t") return ;;
	"help --man-pages") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	esac
	case $cmd in
	"index") options="--exclude --no-exclude --include --no-include --no-default-excludes --follow-links --no-follow-links --formats --video --add-model --prune --flip --regions --no-regions --retry --partial --reread --csv --key --title --no-server --no-build --db --root --max-stale --model --weights --device --precision --resize --crop --squash --crops --pooling --mean --std --interpolation --full-decode --max-megapixels --max-memory --threads --json --null --help --quiet --verbose" ;;
	"query") options="--k --min-score --max-chance --no-self --under --after --before --camera --keyword --near --where --crop --combine --text --not --weight --template --paths --html --sheet --preview --no-server --searcher --recall --ef --checks --epsilon --plain --whole --expand --expand-power --reciprocal --views --vectors --ids --distances --batch --stats --db --root --max-stale --partial --model --weights --device --precision --formats --video --threads --json --null --help --quiet --verbose" ;;
	"info") options="--db --root --max-stale --partial --json --help --quiet --verbose" ;;
	"list") options="--state --paths --sort --reverse --limit --offset --after --before --camera --keyword --near --where --db --root --max-stale --partial --json --null --help --quiet --verbose" ;;
	"failed") options="--paths --db --root --max-stale --partial --json --null --help --quiet --verbose" ;;
	"rm") options="--keep-out --dry-run --db --root --max-stale --json --null --help --quiet --verbose" ;;
	"readmit") options="--db --root --max-stale --json --null --help --quiet --verbose" ;;
	"backup") options="--force --db --root --max-stale --json --help --quiet --verbose" ;;
	"copy") options="--restart --json --help --quiet --verbose" ;;
	"export") options="--compared --db --root --max-stale --partial --model --json --help --quiet --verbose" ;;
	"build") options="--searcher --variance --components --whiten --degree --beam --seed --stats --db --root --max-stale --model --threads --json --help --quiet --verbose" ;;
	"extract") options="--output --raw --text --template --db --root --max-stale --model --weights --device --precision --formats --video --resize --crop --squash --crops --pooling --mean --std --interpolation --full-decode --max-megapixels --max-memory --threads --json --help --quiet --verbose" ;;
	"model list") options="--all --json --help --quiet --verbose" ;;
	"model info") options="--json --help --quiet --verbose" ;;
	"model pull") options="--accept-licence --from --timeout --help --quiet --verbose" ;;
	"model add") options="--name --network --licence --good-at --force --resize --crop --squash --crops --pooling --mean --std --interpolation --help --quiet --verbose" ;;
	"model verify") options="--json --help --quiet --verbose" ;;
	"model rm") options="--help --quiet --verbose" ;;
	"model switch") options="--db --root --max-stale --help --quiet --verbose" ;;
	"model drop") options="--db --root --max-stale --help --quiet --verbose" ;;
	"root mv") options="--db --root --max-stale --help --quiet --verbose" ;;
	"shard list") options="--db --root --max-stale --partial --json --help --quiet --verbose" ;;
	"shard add") options="--db --root --max-stale --help --quiet --verbose" ;;
	"shard move") options="--from --to --buckets --db --root --max-stale --help --quiet --verbose" ;;
	"vectors import") options="--ids --metric --db --root --max-stale --threads --json --help --quiet --verbose" ;;
	"vectors export") options="--ids --f16 --db --root --max-stale --partial --model --json --help --quiet --verbose" ;;
	"eval") options="--queries --truth --text --template --groups --duplicates --sample --threshold --plain --whiten --under --after --before --camera --keyword --near --where --expand --expand-power --reciprocal --views --seed --db --root --max-stale --partial --model --weights --device --precision --formats --video --threads --json --help --quiet --verbose" ;;
	"check") options="--recall --db --root --max-stale --partial --json --help --quiet --verbose" ;;
	"dups") options="--kind --min-score --under --after --before --camera --keyword --near --where --reject --db --root --max-stale --partial --model --threads --json --null --help --quiet --verbose" ;;
	"map") options="--output --tiles --pca --size --under --after --before --camera --keyword --near --where --perplexity --max-points --seed --db --root --max-stale --partial --model --threads --json --help --quiet --verbose" ;;
	"train") options="--out --distill --loss --layers --size --dim --posteriors --inner --power --fold --epochs --steps --batch --lr --val --holdout --patience --min-crop --jitter --anchor --blend --decay --views --teach --whole --together --probabilities --own --relational --labels --whiten --seed --resume --restart --f32 --int8 --name --descent --licence --note --model --weights --device --precision --formats --video --resize --crop --squash --crops --pooling --mean --std --interpolation --full-decode --max-megapixels --max-memory --threads --json --help --quiet --verbose" ;;
	"serve") options="--port --listen --token-file --no-token --host --origin --proxy --socket --uploads --cache --cache-size --max-upload --access-log --read-only --db --root --max-stale --partial --model --weights --device --precision --formats --video --threads --help --quiet --verbose" ;;
	"help") options="--man --man-pages --help --quiet --verbose" ;;
	"complete") options="--help --quiet --verbose" operands="bash zsh fish" ;;
	esac
	case $cur in
	-*) COMPREPLY=($(IFS=' '; compgen -W "$options" -- "$cur")) ;;
	*) if [ -n "$operands" ]; then COMPREPLY=($(IFS=' '; compgen -W "$operands" -- "$cur")); else COMPREPLY=($(compgen -f -- "$cur")); fi ;;
	esac
}
complete -o filenames -F _imgsearch imgsearch
