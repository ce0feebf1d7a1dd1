# bash completion for debughost. Put this into ~/.bashrc:
#
#     eval "$(debughost completion bash)"
#
# or this file, as "debughost", into ~/.local/share/bash-completion/completions/.

_debughost() {
    local line mode=
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ -n $mode ]]; then COMPREPLY+=("$line"); else mode=$line; fi
    done < <(
        COMP_TYPE=${COMP_TYPE-} COLUMNS=${COLUMNS-} COMP_WORDBREAKS=${COMP_WORDBREAKS-} \
            command debughost __complete bash "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null
    )
    # Before bash 4 there is no compopt.
    case $mode in
        nospace) compopt -o nospace 2>/dev/null ;;
        files) compopt -o default 2>/dev/null || _debughost_paths -f ;;
        folders) compopt -o dirnames 2>/dev/null || _debughost_paths -d ;;
    esac
}

_debughost_paths() {
    local line word=${COMP_WORDS[COMP_CWORD]}
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(compgen "$1" -- "${word##*=}")
}

complete -F _debughost debughost
