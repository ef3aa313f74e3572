// Runs commands that are connected by pipes, and writes what they used to a file:
//
//	measure RESULT COMMAND [ARGUMENT]... [@pipe COMMAND [ARGUMENT]...]...
//
// It is small, because Linux counts the memory of the process that starts a command as memory of that command.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

const pipe = "@pipe"

type usage struct {
	Command     string  `json:"command"`
	ExitCode    int     `json:"exitCode"`
	CPUSeconds  float64 `json:"cpuSeconds"`
	MaxRSSBytes int64   `json:"maxRssBytes"`
}

type result struct {
	WallSeconds float64 `json:"wallSeconds"`
	Commands    []usage `json:"commands"`
}

func main() {
	if len(os.Args) < 3 {
		fail(errors.New("usage: measure RESULT COMMAND [ARGUMENT]... [@pipe COMMAND [ARGUMENT]...]..."))
	}
	commands, err := connect(split(os.Args[2:]))
	if err != nil {
		fail(err)
	}
	measured, err := run(commands)
	if err != nil {
		fail(err)
	}
	text, err := json.Marshal(measured)
	if err != nil {
		fail(err)
	}
	if err := os.WriteFile(os.Args[1], text, 0o644); err != nil {
		fail(err)
	}
	for _, one := range measured.Commands {
		if one.ExitCode != 0 {
			fail(fmt.Errorf("%s exited with %d", one.Command, one.ExitCode))
		}
	}
}

func split(arguments []string) [][]string {
	commands := [][]string{nil}
	for _, argument := range arguments {
		if argument == pipe {
			commands = append(commands, nil)
			continue
		}
		last := len(commands) - 1
		commands[last] = append(commands[last], argument)
	}
	return commands
}

// The first command reads nothing. The output of the last one and the errors of all are those of this process.
func connect(lines [][]string) ([]*exec.Cmd, error) {
	var commands []*exec.Cmd
	var input *os.File
	for index, line := range lines {
		if len(line) == 0 {
			return nil, errors.New("a command is empty")
		}
		command := exec.Command(line[0], line[1:]...)
		command.Stderr = os.Stderr
		if input != nil {
			command.Stdin = input
		}
		command.Stdout = os.Stdout
		if index < len(lines)-1 {
			read, write, err := os.Pipe()
			if err != nil {
				return nil, err
			}
			command.Stdout = write
			input = read
		}
		commands = append(commands, command)
	}
	return commands, nil
}

func run(commands []*exec.Cmd) (result, error) {
	began := time.Now()
	for index, command := range commands {
		if err := command.Start(); err != nil {
			for _, started := range commands[:index] {
				_ = started.Process.Kill()
			}
			return result{}, err
		}
		// The pipe ends when the command does.
		closeEnd(command.Stdin)
		closeEnd(command.Stdout)
	}
	measured := result{}
	for _, command := range commands {
		var exit *exec.ExitError
		if err := command.Wait(); err != nil && !errors.As(err, &exit) {
			return result{}, err
		}
	}
	measured.WallSeconds = time.Since(began).Seconds()
	for _, command := range commands {
		state := command.ProcessState
		measured.Commands = append(measured.Commands, usage{
			Command:     command.Args[0],
			ExitCode:    state.ExitCode(),
			CPUSeconds:  (state.UserTime() + state.SystemTime()).Seconds(),
			MaxRSSBytes: maxRSSBytes(state),
		})
	}
	return measured, nil
}

func closeEnd(end any) {
	if file, isFile := end.(*os.File); isFile && file != nil && file != os.Stdout {
		_ = file.Close()
	}
}

func maxRSSBytes(state *os.ProcessState) int64 {
	used, isKnown := state.SysUsage().(*syscall.Rusage)
	if !isKnown {
		return 0
	}
	// macOS counts bytes, Linux KiB.
	if runtime.GOOS == "darwin" {
		return int64(used.Maxrss)
	}
	return int64(used.Maxrss) * 1024
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "measure:", err)
	os.Exit(1)
}
