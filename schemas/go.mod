module github.com/quadrille-platform/quadrille/schemas

go 1.26.0
