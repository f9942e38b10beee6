module kestra.example/sandbox/tools/pause

go 1.26
