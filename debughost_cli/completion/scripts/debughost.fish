# fish completion for debughost. Put this into ~/.config/fish/config.fish:
#
#     debughost completion fish | source
#
# or this file, as "debughost.fish", into ~/.config/fish/completions/.

function __debughost_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l lines (command debughost __complete fish $words[2..] "$word" 2>/dev/null)
    switch "$lines[1]"
        case files folders
            set -l option (string match -r -- '^--[^=]*=' $word)
            set -l path (string replace -- "$option" '' $word)
            for found in (__debughost_$lines[1] $path)
                printf '%s\n' "$option$found"
            end
        case '*'
            string join \n -- $lines[2..]
    end
end

function __debughost_files
    __fish_complete_path $argv[1]
end

function __debughost_folders
    __fish_complete_directories $argv[1] ''
end

complete -c debughost -f -a '(__debughost_complete)'
