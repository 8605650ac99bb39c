# Runs `go build` or `go install`, and says that it compiles and how far it is:
# on a terminal in a line that is drawn again, in a log in a line now and then.
# Where everything is up to date it says nothing. What the compiler says is shown
# as it is, and the exit status is the go command's.
#
#   sh gobuild.sh NAME build -o FILE PACKAGE
#
# Any POSIX shell runs it, such as that of macOS.
name=$1 verb=$2
shift 2
for package; do :; done # the last argument
main=$(go list -f '{{.ImportPath}}' "$package") || exit

# An edit compiles a few packages, and is not counted: that would take longer.
few=10
begin=$(date +%s)
show() { # a passing line
  if [ -t 2 ]; then printf '\r\033[K%s' "$1" >&2; fi
}
say() { # a line that stays
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
  printf '%s\n' "$1" >&2
}

{ go "$verb" -v "$@" 2>&1; echo "exit status $?"; } | {
  done=0 total=0 said=0 status=1 begun=' '
  while IFS= read -r line; do
    case $line in
    'exit status '*) status=${line#exit status } ;;
    'go: downloading '*)
      [ "$said" != 0 ] || { [ -t 2 ] || say "$name: downloading modules"; said=1; }
      show "$name: ${line#go: }" ;;
    '' | *[!A-Za-z0-9._~/+-]*) say "$line" ;; # no import path
    *)
      done=$((done + 1))
      [ $done -gt $few ] || begun="$begun$line "
      if [ $done = 1 ]; then
        if [ -t 2 ]; then show "compiling $name"; else say "compiling $name"; fi
      elif [ $done = $few ]; then
        stale=" $(go list -deps -f '{{if .Stale}}{{.ImportPath}}{{end}}' "$package" 2>/dev/null | tr '\n' ' ') "
        total=$done
        for each in $stale; do
          case $begun in *" $each "*) ;; *) total=$((total + 1)) ;; esac # One may be begun and not done.
        done
      elif [ $done -gt $few ]; then
        case $stale in *" $line "*) ;; *) total=$((total + 1)) ;; esac # It was compiled during the go list.
      fi
      if [ "$line" = "$main" ]; then
        show "compiling $name: linking"
      elif [ $done -ge $few ] && [ $total -gt $done ]; then
        show "compiling $name: $done of $total packages"
        if [ ! -t 2 ] && [ $((done % 100)) = 0 ]; then say "compiling $name: $done of $total packages"; fi
      fi ;;
    esac
  done
  show ''
  if [ "$status" = 0 ] && [ $done -ge $few ]; then say "compiled $name in $(($(date +%s) - begin)) s"; fi
  exit "$status"
}
