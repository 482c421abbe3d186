# Wrong answers for the exercises of notebook 00; each replaces an exercise cell.

# %% 0.4 forgets the biases
def count_parameters(widths):
    return sum(d_in * d_out for d_in, d_out in zip(widths, widths[1:]))

# %% 0.4 one bias per input instead of one per output
def count_parameters(widths):
    return sum(d_in * d_out + d_in for d_in, d_out in zip(widths, widths[1:]))

# %% 0.4 joins the input to the output only
def count_parameters(widths):
    return widths[0] * widths[-1] + widths[-1]

# %% 0.4 counts the input as a layer with biases
def count_parameters(widths):
    return widths[0] + sum(d_in * d_out + d_out for d_in, d_out in zip(widths, widths[1:]))

# %% 0.4 empties the list that it was given
def count_parameters(widths):
    total, before = 0, widths.pop(0)
    while widths:
        width = widths.pop(0)
        total, before = total + before * width + width, width
    return total

# %% 0.6a selects by the prediction (precision instead of recall)
def accuracy_by_class(predicted, y, classes):
    return np.array([np.mean(y[predicted == k] == k) for k in range(classes)])

# %% 0.6a divides by all examples
def accuracy_by_class(predicted, y, classes):
    return np.array([np.mean((predicted == k) & (y == k)) for k in range(classes)])

# %% 0.6a returns counts
def accuracy_by_class(predicted, y, classes):
    return np.array([np.sum(predicted[y == k] == k) for k in range(classes)])

# %% 0.6a returns the same overall accuracy for each class
def accuracy_by_class(predicted, y, classes):
    return np.full(classes, np.mean(predicted == y))

# %% 0.6b rolls the other edge in
def with_shifts(x, y):
    return np.concatenate([x, np.roll(x, -1, 2), np.roll(x, 1, 2)]), np.concatenate([y, y, y])

# %% 0.6b writes the moved images into the given ones
def with_shifts(x, y):
    kept, left = x.copy(), np.zeros_like(x)
    left[:, :, :-1] = x[:, :, 1:]
    x[:, :, 1:] = kept[:, :, :-1]
    x[:, :, 0] = 0
    return np.concatenate([kept, left, x]), np.concatenate([y, y, y])

# %% 0.6b makes whole numbers of the gray values
def with_shifts(x, y):
    moved = np.zeros((3, *x.shape), int)
    moved[0], moved[1, :, :, :-1], moved[2, :, :, 1:] = x, x[:, :, 1:], x[:, :, :-1]
    return moved.reshape(-1, *x.shape[1:]), np.concatenate([y, y, y])

# %% 0.6b moves up and down
def with_shifts(x, y):
    up, down = np.zeros_like(x), np.zeros_like(x)
    up[:, :-1] = x[:, 1:]
    down[:, 1:] = x[:, :-1]
    return np.concatenate([x, up, down]), np.concatenate([y, y, y])

# %% 0.6b right before left
def with_shifts(x, y):
    left, right = np.zeros_like(x), np.zeros_like(x)
    left[:, :, :-1] = x[:, :, 1:]
    right[:, :, 1:] = x[:, :, :-1]
    return np.concatenate([x, right, left]), np.concatenate([y, y, y])

# %% 0.6b repeats each label instead of the whole list
def with_shifts(x, y):
    left, right = np.zeros_like(x), np.zeros_like(x)
    left[:, :, :-1] = x[:, :, 1:]
    right[:, :, 1:] = x[:, :, :-1]
    return np.concatenate([x, left, right]), np.repeat(y, 3)
